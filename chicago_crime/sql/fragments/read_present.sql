-- What:    a text; NULL if it stands for a missing value, as programs write those.
-- Grain:   not a table: an expression that replaces calls of READ_PRESENT in other statements.
-- Columns: the expression, over the text `value`.
SELECT
  IF(REGEXP_CONTAINS(value, r'^(?i:#?na|#?n/a|<na>|-?nan|nat|\(?null\)?|none|\\n|--?|\.)?$'), NULL, value)
    AS read_present
