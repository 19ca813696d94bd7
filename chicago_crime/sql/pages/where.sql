-- What:    the page Where, by cell. Cells without a match have 0: all cells of the chosen places are the study area.
-- Grain:   cell and community area (NULL where it is not known).
-- Columns: the grain and the crimes that match.
SELECT
  cell_x,
  cell_y,
  community_area,
  COUNTIF(matches_filters) AS crimes
FROM enriched_crimes
WHERE
  year IN UNNEST(@years)
  AND cell_x IS NOT NULL
  AND cell_y IS NOT NULL
  AND (ARRAY_LENGTH(@areas) = 0 OR community_area IN UNNEST(@areas))
  AND (ARRAY_LENGTH(@districts) = 0 OR district IN UNNEST(@districts))
  AND (ARRAY_LENGTH(@wards) = 0 OR ward IN UNNEST(@wards))
  AND (ARRAY_LENGTH(@beats) = 0 OR beat IN UNNEST(@beats))
GROUP BY cell_x, cell_y, community_area
