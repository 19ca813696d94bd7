-- What:    the number that a text stands for; NULL if it stands for none.
-- Grain:   not a table: an expression that replaces calls of READ_NUMBER in other statements.
-- Columns: the expression, over the text `value`.
-- NUMERIC has 9 decimals, as many as the City writes: any more are artefacts of a program that read floats. It has no
-- NaN, infinity or hexadecimals. 1_000 is not a number in GoogleSQL, so it must not be one in other engines.
SELECT
  CASE
    -- 1.17E+06 is how a spreadsheet shows 1169082, and 1.16908e+06 how C does: digits are lost.
    WHEN value LIKE '%+0%' AND REGEXP_CONTAINS(value, r'^\s*-?\d\.\d{2,5}[Ee]') THEN NULL
    ELSE COALESCE(
      CAST(SAFE_CAST(REPLACE(value, '_', 'x') AS NUMERIC) AS FLOAT64),
      -- As spreadsheets write them: 1,176,352.5 and ="1176352.5".
      CAST(
        SAFE_CAST(
          REPLACE(REGEXP_EXTRACT(READ_BARE(value), r'^-?[.\d]+$|^-?\d{1,3}(?:,\d{3})+(?:\.\d*)?$'), ',', '') AS NUMERIC
        ) AS FLOAT64
      )
    )
  END AS read_number
