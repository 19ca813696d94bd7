-- What:    changes of primary type between loads of a year, most frequent first.
-- Grain:   year, old and new primary type; both are the same where only the IUCR or FBI code changed.
-- Columns: a description of the change, the year, and the number of crimes.
WITH reclassified AS (
  SELECT
    year,
    REGEXP_EXTRACT(old_value, '^[^ ]+ [^ ]+ (.+)$') AS old_type,
    REGEXP_EXTRACT(new_value, '^[^ ]+ [^ ]+ (.+)$') AS new_type
  FROM revisions
  WHERE year IN UNNEST(@years) AND kind = 'reclassified'
)

SELECT
  IF(old_type = new_type, CONCAT(new_type, ', another IUCR or FBI code'), CONCAT(old_type, ' → ', new_type)) AS change,
  year,
  COUNT(*) AS changes
FROM reclassified
GROUP BY change, year
ORDER BY changes DESC, year, change
