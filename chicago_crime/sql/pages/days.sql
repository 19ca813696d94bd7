-- What:    the days loaded of each year.
-- Grain:   year.
-- Columns: first day with a crime, last day covered, first provisional day (NULL if none), and crimes.
-- The newest 28 days may start in the previous year; any other year may have provisional days if it was loaded too early.
WITH newest AS (
  SELECT IF(MAX(IF(is_provisional, day, NULL)) = MAX(day), DATE_SUB(MAX(day), INTERVAL 27 DAY), NULL) AS provisional_from
  FROM crimes_daily
),

ends AS (
  SELECT
    year,
    MAX(covered_to) AS covered_to
  FROM area_rates
  GROUP BY year
)

SELECT
  crimes_daily.year,
  MIN(day) AS first_day,
  MAX(ends.covered_to) AS last_day,
  IF(
    MAX(day) >= newest.provisional_from, newest.provisional_from, MIN(IF(is_provisional, day, NULL))
  ) AS provisional_from,
  SUM(crimes) AS crimes
FROM crimes_daily
INNER JOIN ends ON crimes_daily.year = ends.year
CROSS JOIN newest
GROUP BY crimes_daily.year, newest.provisional_from
ORDER BY crimes_daily.year
