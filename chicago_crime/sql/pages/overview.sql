-- What:    the page Overview.
-- Grain:   month and type (is_by_type), and again month and community area (not is_by_type).
-- Columns: the grain, crimes, those with the arrest flag, and those of which the flag is known.
WITH chosen AS (
  SELECT
    month,
    type_label AS type,
    community_area,
    arrest
  FROM enriched_crimes
  WHERE matches_filters
)

SELECT
  month,
  type,
  community_area,
  GROUPING(type) = 0 AS is_by_type,
  COUNT(*) AS crimes,
  COUNTIF(arrest) AS arrests,
  COUNT(arrest) AS flagged
FROM chosen
GROUP BY GROUPING SETS ((month, type), (month, community_area))
