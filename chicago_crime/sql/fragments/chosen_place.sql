-- What:    the area, district, ward or beat number, as selected by @place.
-- Grain:   none: an expression that replaces the name chosen_place in other statements.
-- Columns: the expression, over columns of enriched_crimes.
SELECT
  CASE @place WHEN 'area' THEN community_area WHEN 'district' THEN district WHEN 'ward' THEN ward ELSE beat END
    AS chosen_place
