-- What:    crimes by month, type, community area, district and flags, for trends.
-- Grain:   month, offense class, crime type (both labels), community area, district, arrest flag and domestic flag.
-- Columns: the grain and the crimes. For arrests: SUM(IF(arrest, crimes, 0)).
SELECT
  year,
  month,
  offense_class,
  primary_type,
  primary_type_comparable,
  community_area,
  district,
  arrest,
  domestic,
  COUNT(*) AS crimes
FROM enriched_crimes
GROUP BY ALL
