-- What:    which months are loaded, whatever is filtered by.
-- Grain:   month.
-- Columns: the month and its crimes.
SELECT
  month,
  SUM(crimes) AS crimes
FROM crimes_monthly
WHERE year IN UNNEST(@years)
GROUP BY month
