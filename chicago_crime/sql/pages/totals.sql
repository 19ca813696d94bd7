-- What:    crimes that match the filters, for key figures and charts by month, type and year.
-- Grain:   year, month and comparable type.
-- Columns: the grain, crimes, arrests, crimes with a known arrest flag, and crimes without a location or community area.
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
