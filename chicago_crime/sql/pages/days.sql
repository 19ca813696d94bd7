-- What:    the days loaded of each year.
-- Grain:   year.
-- Columns: first and last day with a crime, first provisional day (NULL if none), and crimes.
-- The newest 28 days may start in the previous year; any other year may have provisional days if it was loaded too early.
WITH newest AS (
  SELECT IF(MAX(IF(is_provisional, day, NULL)) = MAX(day), DATE_SUB(MAX(day), INTERVAL 27 DAY), NULL) AS provisional_from
  FROM crimes_daily
)

SELECT
  year,
  MIN(day) AS first_day,
  MAX(day) AS last_day,
  IF(
    MAX(day) >= newest.provisional_from, newest.provisional_from, MIN(IF(is_provisional, day, NULL))
  ) AS provisional_from,
  SUM(crimes) AS crimes
FROM crimes_daily
CROSS JOIN newest
GROUP BY year, newest.provisional_from
ORDER BY year
