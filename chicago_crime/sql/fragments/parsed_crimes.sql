-- What:    every raw row with its numbers, dates and flags parsed. NULL where a value cannot be parsed.
-- Grain:   one row of raw_crimes.
-- Columns: raw (the row as it came); the columns of crimes but year and month.
-- Not a table: where another file reads it, it is inserted as a subquery.
SELECT
  raw,
  -- Whole numbers may come as 17.0; anything else is NULL.
  SAFE_CAST(REGEXP_EXTRACT(raw.id, r'^\s*(\d+)(?:\.0*)?\s*$') AS INT64) AS id,
  NULLIF(TRIM(raw.case_number, ' '), '') AS case_number,
  -- Each format has a pattern, as engines differ in what else they accept as a date.
  CASE
    WHEN REGEXP_CONTAINS(raw.date, r'^\s*\d+/\d+/[12]\d{3}\s+\d+:\d+:[0-5]?\d\s+[AaPp][Mm]\s*$')
      THEN SAFE.PARSE_DATETIME('%m/%d/%Y %I:%M:%S %p', raw.date)
    WHEN REGEXP_CONTAINS(raw.date, r'^\s*\d+/\d+/[12]\d{3}\s+\d+:\d+\s*$')
      THEN SAFE.PARSE_DATETIME('%m/%d/%Y %H:%M', raw.date)
    -- ISO with T or blank, with or without fractions, or with the false UTC of BigQuery's copy: Chicago local time.
    WHEN REGEXP_CONTAINS(raw.date, r'^[12]\d{3}-\d+-\d+[ T]\d+:\d+:[0-5]?\d(?:\D|$)')
      THEN SAFE.PARSE_DATETIME('%Y-%m-%d %H:%M:%S', REPLACE(SUBSTR(raw.date, 1, 19), 'T', ' '))
  END AS date,
  NULLIF(TRIM(raw.block, ' '), '') AS block,
  UPPER(NULLIF(TRIM(raw.iucr, ' '), '')) AS iucr,
  NULLIF(TRIM(raw.primary_type, ' '), '') AS primary_type,
  NULLIF(TRIM(raw.description, ' '), '') AS description,
  NULLIF(TRIM(raw.location_description, ' '), '') AS location_description,
  LOWER(TRIM(raw.arrest, ' ')) AS arrest,
  LOWER(TRIM(raw.domestic, ' ')) AS domestic,
  SAFE_CAST(REGEXP_EXTRACT(raw.beat, r'^\s*(\d+)(?:\.0*)?\s*$') AS INT64) AS beat,
  SAFE_CAST(REGEXP_EXTRACT(raw.district, r'^\s*(\d+)(?:\.0*)?\s*$') AS INT64) AS district,
  SAFE_CAST(REGEXP_EXTRACT(raw.ward, r'^\s*(\d+)(?:\.0*)?\s*$') AS INT64) AS ward,
  SAFE_CAST(REGEXP_EXTRACT(raw.community_area, r'^\s*(\d+)(?:\.0*)?\s*$') AS INT64) AS community_area,
  UPPER(NULLIF(TRIM(raw.fbi_code, ' '), '')) AS fbi_code,
  -- NUMERIC has 9 decimals, as many as the City writes: any more are artefacts of a program that read floats. It has
  -- no NaN, infinity or hexadecimals. 1_000 is not a number in GoogleSQL, so it must not be one in other engines.
  CAST(SAFE_CAST(REPLACE(raw.x_coordinate, '_', 'x') AS NUMERIC) AS FLOAT64) AS x_coordinate,
  CAST(SAFE_CAST(REPLACE(raw.y_coordinate, '_', 'x') AS NUMERIC) AS FLOAT64) AS y_coordinate,
  CASE
    WHEN REGEXP_CONTAINS(raw.updated_on, r'^\s*\d+/\d+/[12]\d{3}\s+\d+:\d+:[0-5]?\d\s+[AaPp][Mm]\s*$')
      THEN SAFE.PARSE_DATETIME('%m/%d/%Y %I:%M:%S %p', raw.updated_on)
    WHEN REGEXP_CONTAINS(raw.updated_on, r'^\s*\d+/\d+/[12]\d{3}\s+\d+:\d+\s*$')
      THEN SAFE.PARSE_DATETIME('%m/%d/%Y %H:%M', raw.updated_on)
    WHEN REGEXP_CONTAINS(raw.updated_on, r'^[12]\d{3}-\d+-\d+[ T]\d+:\d+:[0-5]?\d(?:\D|$)')
      THEN SAFE.PARSE_DATETIME('%Y-%m-%d %H:%M:%S', REPLACE(SUBSTR(raw.updated_on, 1, 19), 'T', ' '))
  END AS updated_on,
  CAST(SAFE_CAST(REPLACE(raw.latitude, '_', 'x') AS NUMERIC) AS FLOAT64) AS latitude,
  CAST(SAFE_CAST(REPLACE(raw.longitude, '_', 'x') AS NUMERIC) AS FLOAT64) AS longitude
FROM raw_crimes AS raw
-- A table partitioned by year has no _PARTITIONDATE; like that of every partition, the start of the year is UTC.
WHERE _PARTITIONTIME = TIMESTAMP(DATE(@year, 1, 1))
