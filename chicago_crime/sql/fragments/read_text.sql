-- What:    a text without the blanks around it; NULL if it stands for a missing value.
-- Grain:   not a table: an expression that replaces calls of READ_TEXT in other statements.
-- Columns: the expression, over the text `value`.
-- Most texts begin with a digit, or are long and have no blanks around them: they are spared the slow pattern. Blanks of
-- all kinds are outside of ASCII's signs, as few letters are; REVERSE is the fastest way to the last one.
SELECT
  CASE
    WHEN value >= '0' AND value < ':' AND REVERSE(value) BETWEEN '!' AND '~' THEN value
    -- As spreadsheets write texts of digits: ="0810".
    WHEN STARTS_WITH(value, '="') AND ENDS_WITH(value, '"') AND LENGTH(value) > 3
      THEN REPLACE(SUBSTR(value, 3, LENGTH(value) - 3), '""', '"')
    WHEN value NOT BETWEEN '!' AND '~' OR REVERSE(value) NOT BETWEEN '!' AND '~'
      THEN READ_PRESENT(TRIM(value, ' \t\r\n\u00a0\u202f'))
    WHEN LENGTH(value) < 7 THEN READ_PRESENT(value)
    ELSE value
  END AS read_text
