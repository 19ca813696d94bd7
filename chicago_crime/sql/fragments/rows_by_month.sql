-- What:    how many rows a year's file has of each month. The gate asks it of the file, before any table exists.
-- Grain:   month, written 2014-01; the empty text stands for dates that cannot be read.
-- Columns: the month and its number of rows.
SELECT
  COALESCE(FORMAT_DATETIME('%Y-%m', date), '') AS month,
  COUNT(*) AS crimes
FROM parsed_crimes
GROUP BY month
