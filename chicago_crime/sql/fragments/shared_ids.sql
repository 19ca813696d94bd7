-- What:    the id that stands for most crimes; one in exponent form, which lost digits, comes first. No row if none does.
-- Grain:   id. Rows are of several crimes if their case numbers differ; where one has any, if dates and blocks do.
-- Columns: the id as it is written, whether in exponent form, its rows, and those of all ids that stand for several crimes.
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
