-- What:    published crimes of a year, and how many of them are missing, of another year or older in the new file.
-- Grain:   community area, most losses first.
-- Columns: community area, published crimes, lost crimes, the id of one lost crime, and crimes with an older update.
WITH
  new_ids AS (
    SELECT id, MAX(updated_on) AS updated_on
    FROM new_crimes
    WHERE EXTRACT(YEAR FROM date) = @year
    GROUP BY id
  )
SELECT
  crimes.community_area AS community_area,
  COUNT(*) AS held,
  COUNTIF(new_ids.id IS NULL) AS lost,
  MIN(IF(new_ids.id IS NULL, crimes.id, NULL)) AS example,
  -- By day, because spreadsheets write times without seconds.
  COUNTIF(DATE(new_ids.updated_on) < DATE(crimes.updated_on)) AS older
FROM crimes
LEFT JOIN new_ids ON new_ids.id = crimes.id
GROUP BY crimes.community_area
ORDER BY lost DESC
