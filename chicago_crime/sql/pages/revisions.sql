-- What:    changes between published versions of a year, by kind; new_days are of days not yet published before.
-- Grain:   year, both snapshots and kind of change.
-- Columns: the grain; changes; arrest flags that became true; for another dataset, its crimes and those before.
SELECT
  year,
  snapshot,
  previous_snapshot,
  -- The City withholds the newest seven days.
  IF(kind = 'added' AND DATE(date) > DATE_SUB(DATE(previous_snapshot), INTERVAL 8 DAY), 'new_days', kind) AS change,
  COUNT(*) AS changes,
  COUNTIF(kind = 'arrest_turned' AND new_value = 'true') AS arrests,
  MAX(IF(kind = 'another_data_set', CONCAT(old_value, ' before, ', new_value, ' now'), NULL)) AS crimes
FROM revisions
WHERE year IN UNNEST(@years)
GROUP BY year, snapshot, previous_snapshot, change
ORDER BY year DESC, snapshot, change
