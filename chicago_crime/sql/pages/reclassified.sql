-- What:    from which primary type to which crimes were reclassified when years were loaded again, most first.
-- Grain:   year, former and new primary type; the same type where only the IUCR or FBI code changed.
-- Columns: the change in words, the year, and the changes.
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
