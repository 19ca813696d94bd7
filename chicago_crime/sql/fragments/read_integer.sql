-- What:    the whole number that a text stands for; NULL if it stands for none.
-- Grain:   not a table: an expression that replaces calls of READ_INTEGER in other statements.
-- Columns: the expression, over the text `value`.
SELECT
  COALESCE(
    SAFE_CAST(REGEXP_EXTRACT(value, r'^\s*(\d+)(?:\.0*)?\s*$') AS INT64),
    -- As spreadsheets write them: 31,000,000, ="31000000" and 3.1E+07.
    CASE
      WHEN REGEXP_CONTAINS(value, r'^\s*\d{1,3}(?:,\d{3})+(?:\.0*)?\s*$')
        THEN SAFE_CAST(REGEXP_EXTRACT(REPLACE(value, ',', ''), r'^\s*(\d+)') AS INT64)
      WHEN REGEXP_CONTAINS(value, r'^\s*="\d+(?:\.0*)?"\s*$')
        THEN SAFE_CAST(REGEXP_EXTRACT(value, r'^\s*="(\d+)') AS INT64)
      WHEN REGEXP_CONTAINS(value, r'^\d(?:\.\d*)?[Ee]\+0?\d$') AND MOD(SAFE_CAST(value AS NUMERIC), 1) = 0
        THEN CAST(SAFE_CAST(value AS NUMERIC) AS INT64)
    END
  ) AS read_integer
