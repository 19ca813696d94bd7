-- What:    every raw row with its values read: numbers, dates, flags. NULL where a value cannot be read.
-- Grain:   one row of raw_crimes.
-- Columns: raw (the row as it came); the columns of crimes but year and month.
-- Not a table of its own: other files read it, and it is put in their place as a subquery.
SELECT
  raw,
  -- Whole numbers may come as 17.0; anything else that is no whole number is no value.
  SAFE_CAST(REGEXP_EXTRACT(raw.id, r'^\s*(\d+)(?:\.0*)?\s*$') AS INT64) AS id,
  NULLIF(TRIM(raw.case_number), '') AS case_number,
  COALESCE(
    SAFE.PARSE_DATETIME('%m/%d/%Y %I:%M:%S %p', raw.date),
    SAFE.PARSE_DATETIME('%m/%d/%Y %H:%M', raw.date),
    -- ISO with T or blank, with or without fractions, and the false UTC of BigQuery's copy: it is Chicago local time.
    SAFE.PARSE_DATETIME('%Y-%m-%d %H:%M:%S', REPLACE(SUBSTR(raw.date, 1, 19), 'T', ' '))
  ) AS date,
  NULLIF(TRIM(raw.block), '') AS block,
  UPPER(NULLIF(TRIM(raw.iucr), '')) AS iucr,
  NULLIF(TRIM(raw.primary_type), '') AS primary_type,
  NULLIF(TRIM(raw.description), '') AS description,
  NULLIF(TRIM(raw.location_description), '') AS location_description,
  LOWER(TRIM(raw.arrest)) AS arrest,
  LOWER(TRIM(raw.domestic)) AS domestic,
  SAFE_CAST(REGEXP_EXTRACT(raw.beat, r'^\s*(\d+)(?:\.0*)?\s*$') AS INT64) AS beat,
  SAFE_CAST(REGEXP_EXTRACT(raw.district, r'^\s*(\d+)(?:\.0*)?\s*$') AS INT64) AS district,
  SAFE_CAST(REGEXP_EXTRACT(raw.ward, r'^\s*(\d+)(?:\.0*)?\s*$') AS INT64) AS ward,
  SAFE_CAST(REGEXP_EXTRACT(raw.community_area, r'^\s*(\d+)(?:\.0*)?\s*$') AS INT64) AS community_area,
  UPPER(NULLIF(TRIM(raw.fbi_code), '')) AS fbi_code,
  SAFE_CAST(TRIM(raw.x_coordinate) AS FLOAT64) AS x_coordinate,
  SAFE_CAST(TRIM(raw.y_coordinate) AS FLOAT64) AS y_coordinate,
  COALESCE(
    SAFE.PARSE_DATETIME('%m/%d/%Y %I:%M:%S %p', raw.updated_on),
    SAFE.PARSE_DATETIME('%m/%d/%Y %H:%M', raw.updated_on),
    SAFE.PARSE_DATETIME('%Y-%m-%d %H:%M:%S', REPLACE(SUBSTR(raw.updated_on, 1, 19), 'T', ' '))
  ) AS updated_on,
  -- The City writes 9 decimals; what follows them is an artefact of a program that read them as floats.
  ROUND(SAFE_CAST(TRIM(raw.latitude) AS FLOAT64), 9) AS latitude,
  ROUND(SAFE_CAST(TRIM(raw.longitude) AS FLOAT64), 9) AS longitude
FROM raw_crimes AS raw
WHERE _PARTITIONDATE = DATE(@year, 1, 1)
