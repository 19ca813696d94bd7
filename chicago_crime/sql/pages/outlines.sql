-- What:    the place with most crimes in each cell. @place is area, district, ward or beat.
-- Grain:   cell with any crime of @years in such a place.
-- Columns: the grain and the place's number.
SELECT
  cell_x,
  cell_y,
  chosen_place AS place
FROM enriched_crimes
WHERE year IN UNNEST(@years) AND cell_x IS NOT NULL AND cell_y IS NOT NULL AND chosen_place IS NOT NULL
GROUP BY cell_x, cell_y, place
QUALIFY ROW_NUMBER() OVER (PARTITION BY cell_x, cell_y ORDER BY COUNT(*) DESC, place) = 1
