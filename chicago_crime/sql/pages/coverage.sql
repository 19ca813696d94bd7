-- What:    the months that are loaded, without any filter.
-- Grain:   month.
-- Columns: the month and its crimes.
SELECT
  month,
  SUM(crimes) AS crimes
FROM crimes_monthly
WHERE year IN UNNEST(@years)
GROUP BY month
