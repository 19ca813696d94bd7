-- What:    whether a row matches the filters. An empty list or NULL matches all rows, except @years.
-- Grain:   none: an expression that replaces the name matches_filters in other statements.
-- Columns: the condition, over columns of enriched_crimes.
SELECT
  year IN UNNEST(@years)
  AND (ARRAY_LENGTH(@codes) = 0 OR iucr IN UNNEST(@codes))
  AND (ARRAY_LENGTH(@classes) = 0 OR offense_class IN UNNEST(@classes))
  AND (ARRAY_LENGTH(@types) = 0 OR primary_type_comparable IN UNNEST(@types))
  AND (ARRAY_LENGTH(@descriptions) = 0 OR description IN UNNEST(@descriptions))
  AND (ARRAY_LENGTH(@areas) = 0 OR community_area IN UNNEST(@areas))
  AND (ARRAY_LENGTH(@districts) = 0 OR district IN UNNEST(@districts))
  AND (ARRAY_LENGTH(@wards) = 0 OR ward IN UNNEST(@wards))
  AND (ARRAY_LENGTH(@beats) = 0 OR beat IN UNNEST(@beats))
  AND (ARRAY_LENGTH(@blocks) = 0 OR block IN UNNEST(@blocks))
  AND (@cell_x IS NULL OR (cell_x = @cell_x AND cell_y = @cell_y))
  AND (ARRAY_LENGTH(@locations) = 0 OR location_description IN UNNEST(@locations))
  AND (ARRAY_LENGTH(@hours) = 0 OR (hour IN UNNEST(@hours) AND NOT is_time_placeholder))
  AND (ARRAY_LENGTH(@weekdays) = 0 OR day_of_week IN UNNEST(@weekdays))
  AND (@start IS NULL OR DATE(date) >= @start)
  AND (@finish IS NULL OR DATE(date) <= @finish)
  AND (@arrest IS NULL OR arrest = @arrest)
  AND (@domestic IS NULL OR domestic = @domestic) AS matches_filters
