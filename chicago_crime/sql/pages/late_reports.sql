-- What:    the share of matching crimes in the four weeks before each earlier load that only a later load added.
-- Grain:   one row.
-- Columns: crimes of those weeks known now, and those missing at the load, both summed over loads; and distinct crimes
--          missing from any load.
-- The weeks end eight days before a load, because the City withholds the newest seven days. A load counts only if a later
-- one followed at least 28 days after it, when late reports had arrived.
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
FROM (SELECT year, id, DATE(date) AS day FROM enriched_crimes WHERE matches_filters) AS matching
INNER JOIN loads
  ON
    matching.year = loads.year
    AND matching.day > DATE_SUB(loads.loaded, INTERVAL 36 DAY)
    AND matching.day <= DATE_SUB(loads.loaded, INTERVAL 8 DAY)
LEFT JOIN added
  ON matching.id = added.id
