-- What:    crimes by IUCR code, for yearly counts of offense groups.
-- Grain:   year and IUCR code.
-- Columns: the grain and the crimes.
SELECT
  year,
  iucr,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters
GROUP BY year, iucr
