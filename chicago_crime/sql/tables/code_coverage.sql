-- What:    crimes by month and IUCR code, and how many lack a location.
-- Grain:   month, IUCR code, offense class and crime type (both labels).
-- Columns: the grain, crimes, and crimes without coordinates or a community area.
SELECT
  year,
  month,
  iucr,
  offense_class,
  primary_type,
  primary_type_comparable,
  COUNT(*) AS crimes,
  COUNTIF(x_coordinate IS NULL AND latitude IS NULL) AS without_place,
  COUNTIF(community_area IS NULL) AS without_area
FROM enriched_crimes
GROUP BY year, month, iucr, offense_class, primary_type, primary_type_comparable
