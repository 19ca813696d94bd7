-- What:    counts by place and year, for the pages Where and Compare. @place is area, district, ward or beat.
-- Grain:   place (NULL where it is not known) and year.
-- Columns: the grain and the crimes that match.
SELECT
  chosen_place AS place,
  year,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters
GROUP BY place, year
