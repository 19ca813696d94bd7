-- What:    whether a row is one of those that the filters ask for. An empty list, or NULL, asks for all.
-- Grain:   not a table: where another statement of this folder says matches_filters, this condition stands.
-- Columns: the condition, over the columns that the marts and enriched_crimes share.
SELECT
  year IN UNNEST(@years)
  AND (ARRAY_LENGTH(@classes) = 0 OR offense_class IN UNNEST(@classes))
  AND (ARRAY_LENGTH(@types) = 0 OR IF(@source_labels, primary_type, primary_type_comparable) IN UNNEST(@types))
  AND (ARRAY_LENGTH(@areas) = 0 OR community_area IN UNNEST(@areas))
  AND (ARRAY_LENGTH(@districts) = 0 OR district IN UNNEST(@districts))
  AND (@arrest IS NULL OR arrest = @arrest)
  AND (@domestic IS NULL OR domestic = @domestic) AS matches_filters
