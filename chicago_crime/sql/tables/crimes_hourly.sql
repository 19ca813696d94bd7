-- What:    counts by hour and weekday. Times that are placeholders are counted apart.
-- Grain:   year, offense class, type under both labels, community area, district, both flags, weekday and hour.
-- Columns: the grain, the crimes with a known time, and those whose time is a placeholder.
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
GROUP BY
  year,
  offense_class,
  primary_type,
  primary_type_comparable,
  community_area,
  district,
  arrest,
  domestic,
  day_of_week,
  hour
