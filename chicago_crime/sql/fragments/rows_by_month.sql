-- What:    the rows of each month in a year's file. The gate runs it on the file, before there is any table.
-- Grain:   month, as 2014-01; the empty string for dates that cannot be parsed.
-- Columns: the month and its number of rows.
SELECT
  COALESCE(FORMAT_DATETIME('%Y-%m', date), '') AS month,
  COUNT(*) AS crimes
FROM parsed_crimes
GROUP BY month
