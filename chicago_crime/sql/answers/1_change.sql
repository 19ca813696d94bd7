-- How did reported crime change from year to year?
SELECT
  year,
  SUM(crimes) AS crimes,
  ROUND(100.0 * SUM(arrests) / SUM(crimes), 1) AS arrest_flag_percent
FROM crime_type_count
GROUP BY year
ORDER BY year
