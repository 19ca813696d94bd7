-- What:    which codes the chosen offenses had in each year, in the whole city.
-- Grain:   year, IUCR code, and whether the type's label for all years is another than the source's.
-- Columns: the grain and the crimes.
SELECT
  year,
  iucr,
  primary_type != primary_type_comparable AS is_moved,
  SUM(crimes) AS crimes
FROM code_coverage
WHERE
  year IN UNNEST(@years)
  AND (ARRAY_LENGTH(@codes) = 0 OR iucr IN UNNEST(@codes))
  AND (ARRAY_LENGTH(@classes) = 0 OR offense_class IN UNNEST(@classes))
  AND (ARRAY_LENGTH(@types) = 0 OR primary_type_comparable IN UNNEST(@types))
GROUP BY year, iucr, is_moved
