-- What:    the page Overview.
-- Grain:   month and type.
-- Columns: the grain, crimes, those with the arrest flag, those of which the flag is known, those with an area.
SELECT
  month,
  primary_type_comparable AS type,
  COUNT(*) AS crimes,
  COUNTIF(arrest) AS arrests,
  COUNT(arrest) AS flagged,
  COUNT(community_area) AS placed
FROM enriched_crimes
WHERE matches_filters
GROUP BY month, type
