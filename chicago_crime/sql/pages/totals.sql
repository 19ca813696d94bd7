-- What:    what matches the filters, for key figures, and by month, by type and by year.
-- Grain:   year, month and type, under one label for all years.
-- Columns: the grain, crimes, those with the arrest flag, those of which the flag is known, and those without a location
--          and without a community area.
SELECT
  year,
  month,
  primary_type_comparable AS type,
  COUNT(*) AS crimes,
  COUNTIF(arrest) AS arrests,
  COUNT(arrest) AS flagged,
  COUNTIF(cell_x IS NULL) AS without_location,
  COUNTIF(community_area IS NULL) AS without_area
FROM enriched_crimes
WHERE matches_filters
GROUP BY year, month, type
