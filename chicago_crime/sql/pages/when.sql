-- What:    crimes by hour, for the page When.
-- Grain:   day of the week and hour.
-- Columns: the grain, crimes with a known time, and crimes with a placeholder time.
SELECT
  day_of_week,
  hour,
  COUNTIF(NOT is_time_placeholder) AS crimes,
  COUNTIF(is_time_placeholder) AS time_placeholders
FROM enriched_crimes
WHERE matches_filters
GROUP BY day_of_week, hour
