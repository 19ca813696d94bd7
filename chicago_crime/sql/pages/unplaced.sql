-- What:    crimes without a place, which are missing from counts by place.
-- Grain:   year.
-- Columns: the grain, all crimes, and those without a community area, district, ward or beat.
SELECT
  year,
  COUNT(*) AS crimes,
  COUNTIF(community_area IS NULL) AS area,
  COUNTIF(district IS NULL) AS district,
  COUNTIF(ward IS NULL) AS ward,
  COUNTIF(beat IS NULL) AS beat
FROM enriched_crimes
WHERE matches_filters
GROUP BY year
ORDER BY year
