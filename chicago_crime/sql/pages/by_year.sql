-- What:    counts by year, for the page Compare.
-- Grain:   place or type, as @rows_are says, and year.
-- Columns: the grain and the crimes.
SELECT
  CASE @rows_are
    WHEN 'area' THEN CAST(community_area AS STRING)
    WHEN 'district' THEN CAST(district AS STRING)
    WHEN 'ward' THEN CAST(ward AS STRING)
    WHEN 'beat' THEN CAST(beat AS STRING)
    ELSE IF(@source_labels, primary_type, primary_type_comparable)
  END AS row_name,
  year,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters
GROUP BY row_name, year
