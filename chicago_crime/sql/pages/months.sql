-- What:    counts by month, for the expected range of the page Overview.
-- Grain:   month.
-- Columns: the month and its crimes.
SELECT
  month,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters
GROUP BY month
