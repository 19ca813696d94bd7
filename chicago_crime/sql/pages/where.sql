-- What:    the page Where, by cell.
-- Grain:   cell and community area (NULL where it is not known).
-- Columns: the grain and the crimes that match.
SELECT
  cell_x,
  cell_y,
  community_area,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters AND cell_x IS NOT NULL AND cell_y IS NOT NULL
GROUP BY cell_x, cell_y, community_area
