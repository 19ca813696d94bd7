-- What:    whether a program swapped day and month in some dates: it rewrites those that it reads, with days up to 12.
-- Grain:   one row.
-- Columns: per date column, dates that start with month and day as numbers although their day is up to 12, or do not
--          although it is later (not_swapped_...); the first and last month of those that do not.
SELECT
  COUNTIF(is_rewritten_date != (EXTRACT(DAY FROM date) <= 12)) AS not_swapped_date,
  MIN(IF(is_rewritten_date, EXTRACT(MONTH FROM date), NULL)) AS first_month_date,
  MAX(IF(is_rewritten_date, EXTRACT(MONTH FROM date), NULL)) AS last_month_date,
  COUNTIF(is_rewritten_updated_on != (EXTRACT(DAY FROM updated_on) <= 12)) AS not_swapped_updated_on,
  MIN(IF(is_rewritten_updated_on, EXTRACT(MONTH FROM updated_on), NULL)) AS first_month_updated_on,
  MAX(IF(is_rewritten_updated_on, EXTRACT(MONTH FROM updated_on), NULL)) AS last_month_updated_on
FROM (
  SELECT
    date,
    updated_on,
    READ_REWRITTEN(raw.date) IS NOT NULL AS is_rewritten_date,
    READ_REWRITTEN(raw.updated_on) IS NOT NULL AS is_rewritten_updated_on
  FROM parsed_crimes
)
