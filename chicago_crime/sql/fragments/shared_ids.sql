-- What:    the id shared by most crimes; ids in exponent notation, which lost digits, come first. No row if none is shared.
-- Grain:   id. Rows are different crimes if their case numbers differ; without case numbers, if dates and blocks differ.
-- Columns: the id as written, whether it is in exponent notation, its rows, and the rows of all shared ids.
SELECT
  MIN(raw.id) AS written,
  LOGICAL_OR(UPPER(raw.id) LIKE '%E+%') AS lost_digits,
  COUNT(*) AS crimes,
  SUM(COUNT(*)) OVER () AS all_crimes
FROM parsed_crimes
WHERE id IS NOT NULL
GROUP BY id
HAVING
  IF(
    COUNT(case_number) > 1,
    COUNT(DISTINCT UPPER(case_number)) > 1,
    COUNT(DISTINCT date) > 1 AND COUNT(DISTINCT block) > 1
  )
ORDER BY lost_digits DESC, crimes DESC, written
LIMIT 1
