-- What:    the number of the place that @place names: area, district, ward or beat.
-- Grain:   not a table: an expression that replaces the name chosen_place in other statements.
-- Columns: the expression, over the columns of enriched_crimes.
SELECT
  CASE @place WHEN 'area' THEN community_area WHEN 'district' THEN district WHEN 'ward' THEN ward ELSE beat END
    AS chosen_place
