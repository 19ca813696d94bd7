-- What:    the moment that a text stands for, in Chicago local time; NULL if it stands for none.
-- Grain:   not a table: an expression that replaces calls of READ_DATETIME in other statements.
-- Columns: the expression, over the text `value`.
-- A day without a time is its midnight. Month and day as numbers: the gate refuses a file that writes the day first.
-- Each format has a pattern, as engines differ in what else they accept as a date.
SELECT
  CASE
    WHEN REGEXP_CONTAINS(value, r'^\s*\d+/\d+/[12]\d{3}\s+\d+:\d+:[0-5]?\d\s+[AaPp][Mm]\s*$')
      THEN SAFE.PARSE_DATETIME('%m/%d/%Y %I:%M:%S %p', value)
    WHEN REGEXP_CONTAINS(value, r'^\s*\d+[-/]\d+[-/][12]\d{3}(?:\s+\d+:\d+(?::[0-5]?\d)?(?:\s+[AaPp][Mm])?)?\s*$')
      THEN COALESCE(
        SAFE.PARSE_DATETIME('%m/%d/%Y %H:%M', REPLACE(value, '-', '/')),
        SAFE.PARSE_DATETIME('%m/%d/%Y %H:%M:%S', REPLACE(value, '-', '/')),
        SAFE.PARSE_DATETIME('%m/%d/%Y %I:%M:%S %p', REPLACE(value, '-', '/')),
        SAFE.PARSE_DATETIME('%m/%d/%Y %I:%M %p', REPLACE(value, '-', '/')),
        SAFE.PARSE_DATETIME('%m/%d/%Y', TRIM(REPLACE(value, '-', '/'), ' '))
      )
    -- ISO with T or blank, with or without fractions, an offset of Chicago, or the false UTC of BigQuery's copy.
    WHEN REGEXP_CONTAINS(
      value,
      r'^\s*[12]\d{3}[-/]\d+[-/]\d+(?:[ T]\d+:\d+(?::[0-5]?\d(?:\.\d*)?)?)?(?:\s*(?:Z|UTC|[+]00:?00|-0[56]:?00))?\s*$'
    )
      THEN COALESCE(
        SAFE.PARSE_DATETIME(
          '%Y/%m/%d %H:%M:%S',
          REPLACE(REPLACE(REGEXP_EXTRACT(value, r'^\s*([-/\d]+[ T][:\d]+)'), '-', '/'), 'T', ' ')
        ),
        SAFE.PARSE_DATETIME(
          '%Y/%m/%d %H:%M', REPLACE(REPLACE(REGEXP_EXTRACT(value, r'^\s*([-/\d]+[ T][:\d]+)'), '-', '/'), 'T', ' ')
        ),
        SAFE.PARSE_DATETIME('%Y/%m/%d', REPLACE(REGEXP_EXTRACT(value, r'^\s*([-/\d]+)\s*$'), '-', '/'))
      )
    -- 18-Jun-21 and June 18, 2021: first rewritten as 18 Jun 2021.
    WHEN REGEXP_CONTAINS(value, r'^\s*(?:\d{1,2}[- ]+[A-Za-z]{3}|[A-Za-z]{3,9}[-. ]+\d{1,2}[-, ])')
      THEN COALESCE(
        SAFE.PARSE_DATETIME('%d %b %Y', READ_NAMED_DAY(value)),
        SAFE.PARSE_DATETIME('%d %b %Y %H:%M', READ_NAMED_DAY(value)),
        SAFE.PARSE_DATETIME('%d %b %Y %H:%M:%S', READ_NAMED_DAY(value)),
        SAFE.PARSE_DATETIME('%d %b %Y %I:%M %p', READ_NAMED_DAY(value)),
        SAFE.PARSE_DATETIME('%d %b %Y %I:%M:%S %p', READ_NAMED_DAY(value))
      )
  END AS read_datetime
