-- What:    the blocks with most crimes under the filters.
-- Grain:   block, those that contain @part (in capitals) if that is not NULL; at most @row_count of them.
-- Columns: the block, and the crimes that match.
SELECT
  block,
  COUNT(*) AS crimes
FROM enriched_crimes
WHERE matches_filters AND block IS NOT NULL AND (@part IS NULL OR STRPOS(UPPER(block), @part) > 0)
GROUP BY block
ORDER BY crimes DESC, block ASC
LIMIT @row_count
