-- What:    all raw rows with parsed numbers, dates and flags. NULL where a value cannot be parsed.
-- Grain:   row of raw_crimes.
-- Columns: raw (the original row), raw_id (its id), and the columns of crimes except year and month.
-- Other statements use it like a table: it is inserted as a subquery.
SELECT
  raw,
  raw.id AS raw_id,
  READ_INTEGER(raw.id) AS id,
  READ_TEXT(raw.case_number) AS case_number,
  READ_DATETIME(raw.date) AS date,
  UPPER(READ_TEXT(raw.block)) AS block,
  UPPER(READ_TEXT(raw.iucr)) AS iucr,
  UPPER(READ_TEXT(raw.primary_type)) AS primary_type,
  UPPER(READ_TEXT(raw.description)) AS description,
  UPPER(READ_TEXT(raw.location_description)) AS location_description,
  READ_FLAG(raw.arrest) AS arrest,
  READ_FLAG(raw.domestic) AS domestic,
  READ_INTEGER(raw.beat) AS beat,
  READ_INTEGER(raw.district) AS district,
  READ_INTEGER(raw.ward) AS ward,
  READ_INTEGER(raw.community_area) AS community_area,
  UPPER(READ_TEXT(raw.fbi_code)) AS fbi_code,
  READ_NUMBER(raw.x_coordinate) AS x_coordinate,
  READ_NUMBER(raw.y_coordinate) AS y_coordinate,
  READ_DATETIME(raw.updated_on) AS updated_on,
  -- Some copies have coordinates only in `location`, in several formats. Only longitudes have a minus sign.
  COALESCE(
    READ_NUMBER(raw.latitude),
    IF(
      READ_TEXT(raw.latitude) IS NULL,
      CAST(SAFE_CAST(REGEXP_EXTRACT(raw.location, r'(?:^|[^-.\d])(\d\d\.\d+)') AS NUMERIC) AS FLOAT64),
      NULL
    )
  ) AS latitude,
  COALESCE(
    READ_NUMBER(raw.longitude),
    IF(
      READ_TEXT(raw.longitude) IS NULL,
      CAST(SAFE_CAST(REGEXP_EXTRACT(raw.location, r'(-\d\d\.\d+)') AS NUMERIC) AS FLOAT64),
      NULL
    )
  ) AS longitude
FROM raw_crimes AS raw
