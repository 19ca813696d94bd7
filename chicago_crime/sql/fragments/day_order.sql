-- What:    whether days or months come first in dates that are written in numbers. In parsed dates, months do.
-- Grain:   one row.
-- Columns: not_swapped_HOW_COLUMN: dates that contradict a swap of day and month, because they are rewritten (or
--          reformatted, see `values_read`) with a day after 12, or not rewritten with a day up to 12; first_month_ and
--          last_month_COLUMN, of dates with a day up to 12; of both columns, after_12: dates in numbers with a day after
--          12, and short_year_after_12: those of them with a two-digit year; short_year_COLUMN: dates with a two-digit year.
SELECT
  COUNTIF(is_rewritten_date != (EXTRACT(DAY FROM date) <= 12)) AS not_swapped_rewritten_date,
  COUNTIF(is_reformatted_date != (EXTRACT(DAY FROM date) <= 12)) AS not_swapped_reformatted_date,
  MIN(IF(EXTRACT(DAY FROM date) <= 12, EXTRACT(MONTH FROM date), NULL)) AS first_month_date,
  MAX(IF(EXTRACT(DAY FROM date) <= 12, EXTRACT(MONTH FROM date), NULL)) AS last_month_date,
  COUNTIF(is_rewritten_updated_on != (EXTRACT(DAY FROM updated_on) <= 12)) AS not_swapped_rewritten_updated_on,
  MIN(IF(EXTRACT(DAY FROM updated_on) <= 12, EXTRACT(MONTH FROM updated_on), NULL)) AS first_month_updated_on,
  MAX(IF(EXTRACT(DAY FROM updated_on) <= 12, EXTRACT(MONTH FROM updated_on), NULL)) AS last_month_updated_on,
  COUNTIF(NOT is_rewritten_date AND EXTRACT(DAY FROM date) > 12)
  + COUNTIF(NOT is_rewritten_updated_on AND EXTRACT(DAY FROM updated_on) > 12) AS after_12,
  COUNTIF(is_short_date AND EXTRACT(DAY FROM date) > 12)
  + COUNTIF(is_short_updated_on AND EXTRACT(DAY FROM updated_on) > 12) AS short_year_after_12,
  COUNTIF(is_short_date) AS short_year_date,
  COUNTIF(is_short_updated_on) AS short_year_updated_on
FROM (
  SELECT
    date,
    updated_on,
    READ_REWRITTEN(raw.date) IS NOT NULL AS is_rewritten_date,
    READ_REWRITTEN(raw.updated_on) IS NOT NULL AS is_rewritten_updated_on,
    READ_REFORMATTED(raw.date) IS NOT NULL AS is_reformatted_date,
    REGEXP_CONTAINS(raw.date, r'^[\s="]*\d\d?[-/]\d\d?[-/]\d\d(?:\D|$)') AS is_short_date,
    REGEXP_CONTAINS(raw.updated_on, r'^[\s="]*\d\d?[-/]\d\d?[-/]\d\d(?:\D|$)') AS is_short_updated_on
  FROM parsed_crimes
)
