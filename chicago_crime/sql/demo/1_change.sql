-- How did reported crime change from year to year?
SELECT
  year,
  SUM(crimes) AS crimes,
  ROUND(1000 * SUM(arrests) / SUM(crimes)) / 10 AS arrest_flag_percent
FROM crime_type_count
GROUP BY year
ORDER BY year
