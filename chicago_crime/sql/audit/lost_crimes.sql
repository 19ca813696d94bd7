-- What:    the crimes that are published of a year, and how many of them its new file (new_crimes) lacks, or dates in another year.
-- Grain:   community area; those that lost most come first.
-- Columns: the area, the crimes held and lost, and the id of a lost one.
WITH
  new_ids AS (
    SELECT DISTINCT id
    FROM new_crimes
    WHERE EXTRACT(YEAR FROM date) = @year
  )
SELECT
  crimes.community_area AS community_area,
  COUNT(*) AS held,
  COUNTIF(new_ids.id IS NULL) AS lost,
  MIN(IF(new_ids.id IS NULL, crimes.id, NULL)) AS example
FROM crimes
LEFT JOIN new_ids ON new_ids.id = crimes.id
GROUP BY crimes.community_area
ORDER BY lost DESC
