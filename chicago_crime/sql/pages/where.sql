-- What:    crimes by cell, for the page Where.
-- Grain:   cell and community area (NULL if unknown).
-- Columns: the grain and the crimes.
SELECT
  cell_x,
  cell_y,
  community_area,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters AND cell_x IS NOT NULL AND cell_y IS NOT NULL
GROUP BY cell_x, cell_y, community_area
