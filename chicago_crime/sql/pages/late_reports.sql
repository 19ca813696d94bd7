-- What:    how many crimes of the four weeks before a load became known only by a later one, over all earlier loads.
-- Grain:   one row.
-- Columns: the crimes of those weeks as they are known now, and those of them that were added later.
-- The weeks end eight days before a load, because the City leaves out the newest seven days.
WITH loads AS (
  SELECT DISTINCT
    year,
    DATE_SUB(DATE(previous_snapshot), INTERVAL 8 DAY) AS last_day
  FROM revisions
),

added AS (
  SELECT
    COUNTIF(
      kind = 'added'
      AND DATE(date) > DATE_SUB(DATE(previous_snapshot), INTERVAL 36 DAY)
      AND DATE(date) <= DATE_SUB(DATE(previous_snapshot), INTERVAL 8 DAY)
    ) AS added
  FROM revisions
)

SELECT
  COUNT(*) AS known,
  MAX(added.added) AS added
FROM enriched_crimes
INNER JOIN loads
  ON
    enriched_crimes.year = loads.year
    AND DATE(enriched_crimes.date) > DATE_SUB(loads.last_day, INTERVAL 28 DAY)
    AND DATE(enriched_crimes.date) <= loads.last_day
CROSS JOIN added
