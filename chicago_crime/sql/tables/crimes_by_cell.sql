-- What:    counts by 660 ft cell, for maps under any filter.
-- Grain:   year, offense class, type under both labels, community area, district, both flags, and cell (NULL for crimes without a place).
-- Columns: the grain, and the number of crimes.
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
GROUP BY
  year,
  offense_class,
  primary_type,
  primary_type_comparable,
  community_area,
  district,
  arrest,
  domestic,
  cell_x,
  cell_y
