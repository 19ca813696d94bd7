-- What:    text parsed as a number; NULL if it is not one or has lost digits.
-- Grain:   none: an expression that replaces calls of READ_NUMBER in other statements.
-- Columns: the expression, over `value`.
-- NUMERIC keeps 9 decimals, as many as the City writes; any more are floating-point artifacts. It excludes NaN, infinity
-- and hexadecimal numbers. 1_000 is not a number in GoogleSQL, so it must not be one in other engines.
SELECT
  CASE
    -- A spreadsheet shows 1169082 as 1.17E+06, C prints 1.16908e+06, and JavaScript 1.17e+6: all lose digits.
    WHEN value LIKE '%+%' AND REGEXP_CONTAINS(value, r'^\s*-?[1-9](?:\.\d{0,5})?[Ee]') THEN NULL
    ELSE COALESCE(
      CAST(SAFE_CAST(IF(STRPOS(value, '_') > 0, NULL, value) AS NUMERIC) AS FLOAT64),
      -- As spreadsheets write them: 1,176,352.5 and ="1176352.5".
      CAST(
        SAFE_CAST(
          REPLACE(REGEXP_EXTRACT(READ_BARE(value), r'^-?[.\d]+$|^\d{1,3}(?:,\d{3}){2,}(?:\.\d*)?$'), ',', '') AS NUMERIC
        ) AS FLOAT64
      ),
      -- A single comma is a decimal one, as in 41,883: no coordinate has thousands without millions.
      CAST(SAFE_CAST(REPLACE(REGEXP_EXTRACT(READ_BARE(value), r'^-?\d+,\d+$'), ',', '.') AS NUMERIC) AS FLOAT64)
    )
  END AS read_number
