-- What:    the block with most crimes in each cell, which names the cell.
-- Grain:   cell with any crime that has a block.
-- Columns: the grain and the block.
SELECT
  cell_x,
  cell_y,
  block
FROM enriched_crimes
WHERE cell_x IS NOT NULL AND cell_y IS NOT NULL AND block IS NOT NULL
GROUP BY cell_x, cell_y, block
QUALIFY ROW_NUMBER() OVER (PARTITION BY cell_x, cell_y ORDER BY COUNT(*) DESC, block) = 1
