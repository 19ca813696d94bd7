-- What:    how recent the records of each year are, for the page Data.
-- Grain:   year.
-- Columns: the grain, and the day when a record was last updated (NULL if no record says).
SELECT
  year,
  MAX(DATE(updated_on)) AS updated_on
FROM enriched_crimes
WHERE year IN UNNEST(@years)
GROUP BY year
