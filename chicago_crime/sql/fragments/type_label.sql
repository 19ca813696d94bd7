-- What:    the crime type: the source's own label, or the one label for all years, as @source_labels says.
-- Grain:   not a table: an expression that replaces the name type_label in other statements.
-- Columns: the expression, over columns of enriched_crimes or code_coverage.
SELECT IF(@source_labels, primary_type, primary_type_comparable) AS type_label
