-- What:    the page Where: of which types the place is withheld or unknown.
-- Grain:   crime type, under one label for all years.
-- Columns: the grain, the crimes that match, and how many of them have no location and no community area.
SELECT
  primary_type_comparable AS type,
  COUNT(*) AS crimes,
  COUNTIF(cell_x IS NULL) AS without_location,
  COUNTIF(community_area IS NULL) AS without_area
FROM enriched_crimes
WHERE matches_filters
GROUP BY type
