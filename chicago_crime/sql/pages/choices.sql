-- What:    the choices that the filters offer.
-- Grain:   type under both labels; and again each of district, ward, beat, description and kind of location.
-- Columns: the grain and its crimes in all years.
SELECT
  primary_type,
  primary_type_comparable,
  district,
  ward,
  beat,
  description,
  location_description,
  COUNT(*) AS crimes
FROM enriched_crimes
GROUP BY GROUPING SETS (
  (primary_type, primary_type_comparable), (district), (ward), (beat), (description), (location_description)
)
