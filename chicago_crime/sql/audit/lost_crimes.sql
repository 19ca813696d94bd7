-- What:    published crimes of a year, and how many of them are missing from the new file or dated in another year there.
-- Grain:   community area, most losses first.
-- Columns: community area, published crimes, lost crimes, and the id of one lost crime.
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
