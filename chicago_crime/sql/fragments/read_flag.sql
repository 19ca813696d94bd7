-- What:    text parsed as true or false; NULL if it is neither.
-- Grain:   none: an expression that replaces calls of READ_FLAG in other statements.
-- Columns: the expression, over `value`.
-- Not a long IN, which DuckDB would run as a join. The City's own spellings are compared first, without READ_BARE.
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
