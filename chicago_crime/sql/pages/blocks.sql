-- What:    the blocks under the filters, those with most crimes first.
-- Grain:   block.
-- Columns: the block, and the crimes that match.
SELECT
  block,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters AND block IS NOT NULL
GROUP BY block
ORDER BY crimes DESC, block ASC
