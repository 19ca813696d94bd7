-- What:    which codes were in use when, and how many of their crimes have no place.
-- Grain:   month, IUCR code, offense class and type under both labels.
-- Columns: the grain, the crimes, and those without coordinates and without a community area.
SELECT
  year,
  month,
  iucr,
  offense_class,
  primary_type,
  primary_type_comparable,
  COUNT(*) AS crimes,
  COUNTIF(x_coordinate IS NULL) AS without_place,
  COUNTIF(community_area IS NULL) AS without_area
FROM enriched_crimes
GROUP BY year, month, iucr, offense_class, primary_type, primary_type_comparable
