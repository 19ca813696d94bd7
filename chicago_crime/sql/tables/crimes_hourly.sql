-- What:    crimes by hour, day of the week, type, community area, district and flags. Placeholder times are apart.
-- Grain:   year, offense class, crime type (both labels), community area, district, both flags, day of the week and hour.
-- Columns: the grain, crimes with a known time, and crimes with a placeholder time.
SELECT
  year,
  offense_class,
  primary_type,
  primary_type_comparable,
  community_area,
  district,
  arrest,
  domestic,
  day_of_week,
  hour,
  COUNTIF(NOT is_time_placeholder) AS crimes,
  COUNTIF(is_time_placeholder) AS time_placeholders
FROM enriched_crimes
GROUP BY ALL
