-- What:    crimes by place and year, for the pages Where and Compare. @place is area, district, ward or beat.
-- Grain:   place (NULL if unknown) and year.
-- Columns: the grain and the crimes.
SELECT
  chosen_place AS place,
  year,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters
GROUP BY place, year
