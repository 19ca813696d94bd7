-- What:    from which primary type to which crimes were reclassified when years were loaded again.
-- Grain:   year, former and new primary type; the same type where only the IUCR or FBI code changed.
-- Columns: the grain and the changes.
SELECT
  year,
  REGEXP_EXTRACT(old_value, '^[^ ]+ [^ ]+ (.+)$') AS old_type,
  REGEXP_EXTRACT(new_value, '^[^ ]+ [^ ]+ (.+)$') AS new_type,
  COUNT(*) AS changes
FROM revisions
WHERE year IN UNNEST(@years) AND kind = 'reclassified'
GROUP BY year, old_type, new_type
