-- What:    the choices that the filters offer, most frequent first.
-- Grain:   each of type, district, ward, beat, description and kind of location.
-- Columns: the grain and its crimes in all years.
SELECT
  primary_type_comparable AS type,
  district,
  ward,
  beat,
  description,
  location_description AS location,
  COUNT(*) AS crimes
FROM enriched_crimes
GROUP BY GROUPING SETS (
  (primary_type_comparable), (district), (ward), (beat), (description), (location_description)
)
ORDER BY crimes DESC, primary_type_comparable, district, ward, beat, description, location_description
