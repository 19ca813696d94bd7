-- What:    the page Where, by place. @place is area, district, ward or beat.
-- Grain:   place (NULL where it is not known).
-- Columns: the grain and the crimes that match.
SELECT
  CASE @place WHEN 'area' THEN community_area WHEN 'district' THEN district WHEN 'ward' THEN ward ELSE beat END
    AS place,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters
GROUP BY place
