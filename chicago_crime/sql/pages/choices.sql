-- What:    the options of each filter, most frequent first.
-- Grain:   value of type, district, ward, beat, description or location description; the other columns are NULL.
-- Columns: the grain and the crimes of all years.
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
