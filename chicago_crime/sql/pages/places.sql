-- What:    the page Where, by place. @place is area, district, ward or beat.
-- Grain:   place (NULL where it is not known).
-- Columns: the grain and the crimes that match.
SELECT
  chosen_place AS place,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters
GROUP BY place
