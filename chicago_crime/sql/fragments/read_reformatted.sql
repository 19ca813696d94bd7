-- What:    a date in another format than the City's; NULL if it has that.
-- Grain:   none: an expression that replaces calls of READ_REFORMATTED in other statements.
-- Columns: the expression, over `value`.
SELECT
  CASE
    WHEN value LIKE '__/__/____ __:__:__ _M' THEN NULL
    ELSE value
  END AS read_reformatted
