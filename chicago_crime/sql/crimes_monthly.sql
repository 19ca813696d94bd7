-- What:    counts by month, type and place, to draw trends from.
-- Grain:   month, offense class, comparable type, community area and district.
-- Columns: the grain, and the number of crimes, of those with an arrest, of domestic ones.
SELECT
  year,
  month,
  offense_class,
  primary_type_comparable,
  community_area,
  district,
  COUNT(*) AS crimes,
  COUNTIF(arrest) AS arrests,
  COUNTIF(domestic) AS domestic_crimes
FROM enriched_crimes
WHERE year = @year
GROUP BY year, month, offense_class, primary_type_comparable, community_area, district
