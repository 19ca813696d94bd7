-- What:    whether days or months come first in dates that are written in numbers. In parsed dates, months do.
-- Grain:   one row.
-- Columns: parsed dates with a day after 12, of both date columns; those of them with a two-digit year; per date column,
--          dates with a two-digit year.
SELECT
  COUNTIF(is_date AND EXTRACT(DAY FROM date) > 12) + COUNTIF(is_update AND EXTRACT(DAY FROM updated_on) > 12) AS after_12,
  COUNTIF(is_short_date AND EXTRACT(DAY FROM date) > 12)
  + COUNTIF(is_short_update AND EXTRACT(DAY FROM updated_on) > 12) AS short_year_after_12,
  COUNTIF(is_short_date) AS short_year_date,
  COUNTIF(is_short_update) AS short_year_updated_on
FROM (
  SELECT
    date,
    updated_on,
    REGEXP_CONTAINS(raw.date, r'^[\s="]*\d\d?[-/]\d') AS is_date,
    REGEXP_CONTAINS(raw.updated_on, r'^[\s="]*\d\d?[-/]\d') AS is_update,
    REGEXP_CONTAINS(raw.date, r'^[\s="]*\d\d?[-/]\d\d?[-/]\d\d(?:\D|$)') AS is_short_date,
    REGEXP_CONTAINS(raw.updated_on, r'^[\s="]*\d\d?[-/]\d\d?[-/]\d\d(?:\D|$)') AS is_short_update
  FROM parsed_crimes
)
