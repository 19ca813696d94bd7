-- What:    rejected rows by reason.
-- Grain:   year of the file and reason.
-- Columns: the grain and the rows.
SELECT
  file_year AS year,
  reason,
  COUNT(*) AS `rows`
FROM rejected_crimes
WHERE file_year IN UNNEST(@years)
GROUP BY file_year, reason
ORDER BY file_year, reason
