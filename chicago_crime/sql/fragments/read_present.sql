-- What:    text; NULL if it is a common spelling of a missing value.
-- Grain:   none: an expression that replaces calls of READ_PRESENT in other statements.
-- Columns: the expression, over `value`.
-- In capitals, all of them start with M, N, U or a sign: READ_TEXT passes only such values.
SELECT
  IF(
    REGEXP_CONTAINS(
      value,
      r'^(?i:#?na|#?n/a|<na>|-?nan|nat|\(?null\)?|none|nil|undefined|missing|#(?:null|ref|value)!|<null>|\[null\]|n\.a\.|\?|\\n|-{1,3}|—|\.)?$'
    ),
    NULL,
    value
  ) AS read_present
