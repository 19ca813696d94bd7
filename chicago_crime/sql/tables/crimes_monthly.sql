-- What:    counts by month, type and place, for trends under any filter.
-- Grain:   month, offense class, type under both labels, community area, district, arrest flag, domestic flag.
-- Columns: the grain, and the number of crimes. Crimes with an arrest: SUM(IF(arrest, crimes, 0)).
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
GROUP BY
  year,
  month,
  offense_class,
  primary_type,
  primary_type_comparable,
  community_area,
  district,
  arrest,
  domestic
