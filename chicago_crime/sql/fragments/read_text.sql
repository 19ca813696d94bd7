-- What:    a text without the blanks around it; NULL if it stands for a missing value.
-- Grain:   not a table: an expression that replaces calls of READ_TEXT in other statements.
-- Columns: the expression, over the text `value`.
-- Most texts begin with a digit, or are long and have no blanks around them: they are spared the slow pattern.
SELECT
  CASE
    WHEN value >= '0' AND value < ':' AND NOT ENDS_WITH(value, ' ') THEN value
    -- As spreadsheets write texts of digits: ="0810".
    WHEN STARTS_WITH(value, '="') AND ENDS_WITH(value, '"') AND LENGTH(value) > 3
      THEN REPLACE(SUBSTR(value, 3, LENGTH(value) - 3), '""', '"')
    WHEN LENGTH(value) < 6 OR STARTS_WITH(value, ' ') OR ENDS_WITH(value, ' ')
      THEN IF(REGEXP_CONTAINS(value, r'^ *(?i:#?na|#?n/a|<na>|-?nan|nat|null|none|\\n|--?)? *$'), NULL, TRIM(value, ' '))
    ELSE value
  END AS read_text
