-- What:    a date that does not start with month and day as numbers, as the City writes them; NULL if it does.
-- Grain:   none: an expression that replaces calls of READ_REWRITTEN in other statements.
-- Columns: the expression, over `value`.
-- Most dates match the text comparison, which is faster than the regular expression.
SELECT
  CASE
    WHEN value BETWEEN '0' AND '13' AND value LIKE '%/%' THEN NULL
    WHEN REGEXP_CONTAINS(value, r'^[^A-Za-z\d]*\d\d?[-/]\d') THEN NULL
    ELSE value
  END AS read_rewritten
