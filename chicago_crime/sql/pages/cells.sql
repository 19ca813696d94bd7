-- What:    the community area of each cell: the one of most of its crimes.
-- Grain:   cell with any crime of @years that has an area.
-- Columns: the grain and its community area.
WITH counted AS (
  SELECT
    cell_x,
    cell_y,
    community_area,
    SUM(crimes) AS crimes
  FROM crimes_by_cell
  WHERE year IN UNNEST(@years) AND cell_x IS NOT NULL AND cell_y IS NOT NULL AND community_area IS NOT NULL
  GROUP BY cell_x, cell_y, community_area
)

SELECT
  cell_x,
  cell_y,
  community_area
FROM counted
QUALIFY ROW_NUMBER() OVER (PARTITION BY cell_x, cell_y ORDER BY crimes DESC, community_area) = 1
