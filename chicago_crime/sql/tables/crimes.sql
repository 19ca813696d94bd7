-- What:    the year's crimes, typed; partitioned by month and clustered by primary_type.
-- Grain:   reported crime; for homicides, victim.
-- Columns: the City's 22 columns except location, and month. NULL where the source has no readable value.
SELECT
  id,
  case_number,
  date,
  block,
  iucr,
  primary_type,
  description,
  location_description,
  arrest,
  domestic,
  beat,
  district,
  ward,
  community_area,
  fbi_code,
  x_coordinate,
  y_coordinate,
  year,
  updated_on,
  latitude,
  longitude,
  month
FROM typed_crimes
WHERE reason IS NULL
