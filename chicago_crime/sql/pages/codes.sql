-- What:    the IUCR codes of the selected offenses by year, citywide.
-- Grain:   year, IUCR code, and whether the comparable type differs from the source's type.
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
