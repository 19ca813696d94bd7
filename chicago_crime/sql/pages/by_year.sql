-- What:    counts by year, for the page Compare.
-- Grain:   place of the kind @place (area, district, ward or beat), or type if that is NULL, and year.
-- Columns: the grain and the crimes.
SELECT
  IF(@place IS NULL, primary_type_comparable, CAST(chosen_place AS STRING)) AS row_name,
  year,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters
GROUP BY row_name, year
