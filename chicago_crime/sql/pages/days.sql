-- What:    how much of each year is loaded.
-- Grain:   year.
-- Columns: first and last day with a crime, the first provisional day (NULL if none is), and the crimes.
-- The newest 28 days of the snapshot may begin in an older year; another year may have been loaded too early for its own.
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
