-- What:    how much of each year is loaded.
-- Grain:   year.
-- Columns: first and last day with a crime, the first provisional day (NULL if none is), and the crimes.
SELECT
  year,
  MIN(day) AS first_day,
  MAX(day) AS last_day,
  MIN(IF(is_provisional, day, NULL)) AS provisional_from,
  SUM(crimes) AS crimes
FROM crimes_daily
GROUP BY year
ORDER BY year
