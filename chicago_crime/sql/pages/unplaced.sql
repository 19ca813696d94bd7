-- What:    the page Where: of which types the place is withheld or unknown.
-- Grain:   crime type, under the labels that @source_labels chooses.
-- Columns: the grain, the crimes that match, and how many of them have no location and no community area.
SELECT
  type_label AS type,
  COUNT(*) AS crimes,
  COUNTIF(cell_x IS NULL) AS without_location,
  COUNTIF(community_area IS NULL) AS without_area
FROM enriched_crimes
WHERE matches_filters
GROUP BY type
