-- What:    crimes by day in a year's file. Rows that share an id are one crime, on the latest of their dates.
-- Grain:   day.
-- Columns: the grain and the crimes.
SELECT
  day,
  COUNT(*) AS crimes
FROM (
  SELECT DATE(MAX(date)) AS day
  FROM parsed_crimes
  WHERE id IS NOT NULL AND date IS NOT NULL
  GROUP BY id, EXTRACT(YEAR FROM date)
) AS crimes
GROUP BY day
