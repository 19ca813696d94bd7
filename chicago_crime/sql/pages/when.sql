-- What:    the page When.
-- Grain:   month; and again weekday and hour, where month is NULL.
-- Columns: the grain, crimes (by hour: with a known time), and crimes whose time is a placeholder.
WITH chosen AS (
  SELECT
    month,
    day_of_week,
    hour,
    is_time_placeholder
  FROM enriched_crimes
  WHERE matches_filters
)

SELECT
  month,
  day_of_week,
  hour,
  IF(GROUPING(month) = 0, COUNT(*), COUNTIF(NOT is_time_placeholder)) AS crimes,
  IF(GROUPING(month) = 0, 0, COUNTIF(is_time_placeholder)) AS time_placeholders
FROM chosen
GROUP BY GROUPING SETS ((month), (day_of_week, hour))
