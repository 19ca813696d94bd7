-- What:    counts by month, for the expected range of the page Overview and the coverage of the page Data.
-- Grain:   month.
-- Columns: the month and its crimes.
SELECT
  month,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters
GROUP BY month
