-- What:    a date with the name of its month, e.g. 18-Jun-21 or June 18, 2021 2:30 PM, written as 18 Jun 2021 2:30 PM.
-- Grain:   not a table: an expression that replaces calls of READ_NAMED_DAY in other statements.
-- Columns: the expression, over the text `value`.
SELECT
  TRIM(
    REGEXP_REPLACE(
      REGEXP_REPLACE(
        value, r'^\s*(\d{1,2})[- ]+([A-Za-z]{3})[a-z]{0,6}[-., ]+(?:20)?(\d\d)(\s+\d+:\d+.*)?$', r'\1 \2 20\3\4'
      ),
      r'^\s*([A-Za-z]{3})[a-z]{0,6}[-. ]+(\d{1,2})[-, ]+(?:20)?(\d\d)(\s+\d+:\d+.*)?$', r'\2 \1 20\3\4'
    ),
    ' '
  ) AS read_named_day
