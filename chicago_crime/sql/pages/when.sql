-- What:    the page When.
-- Grain:   month; and again weekday and hour, where month is NULL.
-- Columns: the grain, crimes (by hour: with a known time), and crimes whose time is a placeholder.
SELECT
  month,
  NULL AS day_of_week,
  NULL AS hour,
  SUM(crimes) AS crimes,
  0 AS time_placeholders
FROM crimes_monthly
WHERE matches_filters
GROUP BY month
UNION ALL
SELECT
  NULL AS month,
  day_of_week,
  hour,
  SUM(crimes) AS crimes,
  SUM(time_placeholders) AS time_placeholders
FROM crimes_hourly
WHERE matches_filters
GROUP BY day_of_week, hour
