-- What:    rows that could not be typed.
-- Grain:   year of the file and reason.
-- Columns: the grain and its rows.
SELECT
  file_year,
  reason,
  COUNT(*) AS row_count
FROM rejected_crimes
WHERE file_year IN UNNEST(@years)
GROUP BY file_year, reason
ORDER BY file_year, reason
