-- What:    blocks that match the filters, most crimes first.
-- Grain:   block.
-- Columns: the block and its crimes.
SELECT
  block,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters AND block IS NOT NULL
GROUP BY block
ORDER BY crimes DESC, block ASC
