-- What:    how many crimes of the four weeks before a load became known only by a later one, over the earlier loads.
-- Grain:   one row.
-- Columns: the crimes of those weeks as they are known now, and those of them that were missing, both added up over the
--          loads; and how many crimes were missing in any load.
-- The weeks end eight days before a load, because the City leaves out the newest seven days. Only loads that later ones
-- followed for 28 days count: after a younger one, late reports had no time to arrive.
WITH newest AS (
  SELECT
    year,
    MAX(DATE(snapshot)) AS loaded
  FROM revisions
  GROUP BY year
),

loads AS (
  SELECT DISTINCT
    revisions.year,
    DATE(revisions.previous_snapshot) AS loaded
  FROM revisions
  INNER JOIN newest
    ON
      revisions.year = newest.year
      AND DATE(revisions.previous_snapshot) <= DATE_SUB(newest.loaded, INTERVAL 28 DAY)
  WHERE revisions.kind != 'another_data_set'
),

added AS (
  SELECT
    id,
    MAX(DATE(previous_snapshot)) AS missing_until
  FROM revisions
  WHERE kind = 'added'
  GROUP BY id
)

SELECT
  COUNT(*) AS known,
  COUNTIF(loads.loaded <= added.missing_until) AS missing,
  COUNT(DISTINCT IF(loads.loaded <= added.missing_until, added.id, NULL)) AS late
FROM enriched_crimes
INNER JOIN loads
  ON
    enriched_crimes.year = loads.year
    AND DATE(enriched_crimes.date) > DATE_SUB(loads.loaded, INTERVAL 36 DAY)
    AND DATE(enriched_crimes.date) <= DATE_SUB(loads.loaded, INTERVAL 8 DAY)
LEFT JOIN added
  ON enriched_crimes.id = added.id
