-- What:    the share of matching crimes in the four weeks before each earlier load that only a later load added.
-- Grain:   one row.
-- Columns: crimes of those weeks known now, and those missing at the load, both summed over loads; and distinct crimes
--          missing from any load.
-- The weeks end eight days before a load, because the City withholds the newest seven days. A load counts only if a later
-- one followed at least 28 days after it, when late reports had arrived, and if it lacked at most a quarter of all crimes:
-- otherwise it was an extract.
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
),

crimes_of_loads AS (
  SELECT
    loads.year,
    loads.loaded,
    reported.id,
    reported.is_matching,
    COALESCE(loads.loaded <= added.missing_until, FALSE) AS was_missing
  FROM (SELECT year, id, DATE(date) AS day, matches_filters AS is_matching FROM enriched_crimes) AS reported
  INNER JOIN loads
    ON
      reported.year = loads.year
      AND reported.day > DATE_SUB(loads.loaded, INTERVAL 36 DAY)
      AND reported.day <= DATE_SUB(loads.loaded, INTERVAL 8 DAY)
  LEFT JOIN added
    ON reported.id = added.id
),

complete AS (
  SELECT
    year,
    loaded
  FROM crimes_of_loads
  GROUP BY year, loaded
  HAVING COUNTIF(was_missing) <= 0.25 * COUNT(*)
)

SELECT
  COUNT(*) AS known,
  COUNTIF(crimes_of_loads.was_missing) AS missing,
  COUNT(DISTINCT IF(crimes_of_loads.was_missing, crimes_of_loads.id, NULL)) AS late
FROM crimes_of_loads
INNER JOIN complete
  ON crimes_of_loads.year = complete.year AND crimes_of_loads.loaded = complete.loaded
WHERE crimes_of_loads.is_matching
