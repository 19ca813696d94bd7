-- What:    how many crimes match the filters.
-- Grain:   year.
-- Columns: the crimes, those with the arrest flag, those of which the flag is known, and those without a place.
SELECT
  year,
  COUNT(*) AS crimes,
  COUNTIF(arrest) AS arrests,
  COUNT(arrest) AS flagged,
  COUNTIF(cell_x IS NULL) AS nowhere
FROM enriched_crimes
WHERE matches_filters
GROUP BY year
