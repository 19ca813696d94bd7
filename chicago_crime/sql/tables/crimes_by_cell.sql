-- What:    crimes by 660 ft grid cell, type, community area, district and flags, for maps.
-- Grain:   year, offense class, crime type (both labels), community area, district, both flags, and cell (NULL if unknown).
-- Columns: the grain and the crimes.
SELECT
  year,
  offense_class,
  primary_type,
  primary_type_comparable,
  community_area,
  district,
  arrest,
  domestic,
  cell_x,
  cell_y,
  COUNT(*) AS crimes
FROM enriched_crimes
GROUP BY ALL
