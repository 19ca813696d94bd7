-- What:    text parsed as an integer; NULL if it is not one or may have lost digits.
-- Grain:   none: an expression that replaces calls of READ_INTEGER in other statements.
-- Columns: the expression, over `value`.
SELECT
  COALESCE(
    SAFE_CAST(REGEXP_EXTRACT(value, r'^(\d+)(?:\.0*)?$') AS INT64),
    CASE
      -- As Java, R and its readr write them: 3.1000001E7, 3.1e+07 and 31e6. In 1.07E+07, a spreadsheet dropped digits.
      WHEN REGEXP_CONTAINS(value, r'^(?:\d\.\d+E[7-9]|\d+(?:\.\d+)?e\d|\d(?:\.\d0?)?[Ee]\+0[5-9])$')
        OR LENGTH(REGEXP_EXTRACT(value, r'^\d(\.\d+)[Ee]\+0\d$')) > SAFE_CAST(RIGHT(value, 1) AS INT64)
        THEN SAFE_CAST(REGEXP_EXTRACT(CAST(SAFE_CAST(value AS NUMERIC) AS STRING), r'^(\d+)(?:\.0*)?$') AS INT64)
      -- As spreadsheets write them: 31,000,000 and ="31000000".
      ELSE SAFE_CAST(
        REPLACE(REGEXP_EXTRACT(READ_BARE(value), r'^(\d+|\d{1,3}(?:,\d{3})+)(?:\.0*)?$'), ',', '') AS INT64
      )
    END
  ) AS read_integer
