-- What:    crimes by cell, for the page Where.
-- Grain:   cell with any matching crime, in order.
-- Columns: the grain, its crimes, and the community area with most of them (NULL if unknown).
SELECT
  cell_x,
  cell_y,
  community_area,
  SUM(COUNT(*)) OVER (PARTITION BY cell_x, cell_y) AS crimes
FROM enriched_crimes
WHERE matches_filters AND cell_x IS NOT NULL AND cell_y IS NOT NULL
GROUP BY cell_x, cell_y, community_area
QUALIFY
  ROW_NUMBER() OVER (
    PARTITION BY cell_x, cell_y ORDER BY community_area IS NULL, COUNT(*) DESC, community_area DESC
  ) = 1
ORDER BY cell_x, cell_y
