-- What:    whether a text says yes or no; NULL if it says neither.
-- Grain:   not a table: an expression that replaces calls of READ_FLAG in other statements.
-- Columns: the expression, over the text `value`.
-- No long IN: DuckDB would join every row with the list. What the City writes is compared first, as it is.
SELECT
  CASE
    WHEN value = 'true' THEN TRUE
    WHEN value = 'false' THEN FALSE
    ELSE CASE LOWER(READ_BARE(value))
      WHEN 'true' THEN TRUE
      WHEN 'false' THEN FALSE
      WHEN '1' THEN TRUE
      WHEN '0' THEN FALSE
      WHEN '1.0' THEN TRUE
      WHEN '0.0' THEN FALSE
      WHEN 't' THEN TRUE
      WHEN 'f' THEN FALSE
      WHEN 'yes' THEN TRUE
      WHEN 'no' THEN FALSE
      WHEN 'y' THEN TRUE
      WHEN 'n' THEN FALSE
    END
  END AS read_flag
