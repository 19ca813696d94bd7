-- What:    the page Where. Cells without a match have 0, as they are in the study area of Gi*.
-- Grain:   cell (NULL for crimes without a place) and community area.
-- Columns: the grain and the crimes that match.
SELECT
  cell_x,
  cell_y,
  community_area,
  COUNTIF(matches_filters) AS crimes
FROM enriched_crimes
WHERE year IN UNNEST(@years)
GROUP BY cell_x, cell_y, community_area
