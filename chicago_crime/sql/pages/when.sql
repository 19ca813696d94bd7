-- What:    the page When, by hour.
-- Grain:   weekday and hour.
-- Columns: the grain, crimes with a known time, and crimes whose time is a placeholder.
SELECT
  day_of_week,
  hour,
  COUNTIF(NOT is_time_placeholder) AS crimes,
  COUNTIF(is_time_placeholder) AS time_placeholders
FROM enriched_crimes
WHERE matches_filters
GROUP BY day_of_week, hour
