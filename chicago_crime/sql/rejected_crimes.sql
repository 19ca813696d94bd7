-- What:    the raw rows that are in no other table, each with its reason.
-- Grain:   one rejected row of raw_crimes.
-- Columns: file_year, reason, and the row's 22 values as they came.
SELECT
  @year AS file_year,
  reason,
  raw.*
FROM typed_crimes
WHERE reason IS NOT NULL
