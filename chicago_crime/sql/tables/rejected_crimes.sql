-- What:    raw rows that are not in crimes, with the reason.
-- Grain:   rejected row of raw_crimes.
-- Columns: file_year, reason, and the row's 22 original values.
-- Empty strings become NULL because engines differ in which of the two they read from an empty CSV field.
SELECT
  @year AS file_year,
  reason,
  NULLIF(raw.id, '') AS id,
  NULLIF(raw.case_number, '') AS case_number,
  NULLIF(raw.date, '') AS date,
  NULLIF(raw.block, '') AS block,
  NULLIF(raw.iucr, '') AS iucr,
  NULLIF(raw.primary_type, '') AS primary_type,
  NULLIF(raw.description, '') AS description,
  NULLIF(raw.location_description, '') AS location_description,
  NULLIF(raw.arrest, '') AS arrest,
  NULLIF(raw.domestic, '') AS domestic,
  NULLIF(raw.beat, '') AS beat,
  NULLIF(raw.district, '') AS district,
  NULLIF(raw.ward, '') AS ward,
  NULLIF(raw.community_area, '') AS community_area,
  NULLIF(raw.fbi_code, '') AS fbi_code,
  NULLIF(raw.x_coordinate, '') AS x_coordinate,
  NULLIF(raw.y_coordinate, '') AS y_coordinate,
  NULLIF(raw.year, '') AS year,
  NULLIF(raw.updated_on, '') AS updated_on,
  NULLIF(raw.latitude, '') AS latitude,
  NULLIF(raw.longitude, '') AS longitude,
  NULLIF(raw.location, '') AS location
FROM typed_crimes
WHERE reason IS NOT NULL
