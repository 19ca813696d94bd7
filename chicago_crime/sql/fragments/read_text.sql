-- What:    text without surrounding whitespace; NULL if it is a common spelling of a missing value.
-- Grain:   none: an expression that replaces calls of READ_TEXT in other statements.
-- Columns: the expression, over `value`.
-- The regular expression is slow. Most values skip it: they start with a digit, with a capital that no missing value
-- starts with or, if long, with any capital or $.
-- Whitespace of all kinds is outside '!' to '~', as few letters are; REVERSE is the fastest way to the last character.
SELECT
  CASE
    WHEN value >= '0' AND value < ':' AND REVERSE(value) BETWEEN '!' AND '~' THEN value
    -- As spreadsheets write codes: ="0810".
    WHEN STARTS_WITH(value, '="') AND ENDS_WITH(value, '"') AND LENGTH(value) > 3
      THEN REPLACE(SUBSTR(value, 3, LENGTH(value) - 3), '""', '"')
    WHEN value NOT BETWEEN '$' AND '_' OR REVERSE(value) NOT BETWEEN '!' AND '~'
      THEN READ_PRESENT(TRIM(value, ' \t\r\n\u00a0\u202f'))
    WHEN LENGTH(value) < 10 AND (value < 'A' OR value BETWEEN 'M' AND 'O' OR value >= 'U') THEN READ_PRESENT(value)
    ELSE value
  END AS read_text
