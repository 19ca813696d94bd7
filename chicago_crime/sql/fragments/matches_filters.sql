-- What:    whether a row matches the filters. An empty list, or NULL, matches every row.
-- Grain:   not a table: a condition that replaces the name matches_filters in other statements.
-- Columns: the condition, over the columns that the marts and enriched_crimes share.
SELECT
  year IN UNNEST(@years)
  AND (ARRAY_LENGTH(@classes) = 0 OR offense_class IN UNNEST(@classes))
  AND (ARRAY_LENGTH(@types) = 0 OR IF(@source_labels, primary_type, primary_type_comparable) IN UNNEST(@types))
  AND (ARRAY_LENGTH(@areas) = 0 OR community_area IN UNNEST(@areas))
  AND (ARRAY_LENGTH(@districts) = 0 OR district IN UNNEST(@districts))
  AND (@arrest IS NULL OR arrest = @arrest)
  AND (@domestic IS NULL OR domestic = @domestic) AS matches_filters
