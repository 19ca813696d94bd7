-- What:    a text without the blanks around it; NULL if it stands for a missing value.
-- Grain:   not a table: an expression that replaces calls of READ_TEXT in other statements.
-- Columns: the expression, over the text `value`.
SELECT
  CASE
    WHEN LENGTH(value) < 6 AND REGEXP_CONTAINS(value, r'^ *(?i:na|#?n/a|nan|null|\\n) *$') THEN NULL
    ELSE NULLIF(TRIM(value, ' '), '')
  END AS read_text
