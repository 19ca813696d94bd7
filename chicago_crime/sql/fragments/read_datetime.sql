-- What:    the moment that a text stands for, in Chicago local time; NULL if it stands for none.
-- Grain:   not a table: an expression that replaces calls of READ_DATETIME in other statements.
-- Columns: the expression, over the text `value`.
-- A day without a time is its midnight. Month and day as numbers: the gate refuses a file whose day is or may be first.
-- Each format has a pattern, as engines differ in what else they accept as a date. Those of most files come
-- first and need no rewriting, which is slow.
SELECT
  CASE
    WHEN REGEXP_CONTAINS(value, r'^\s*\d+/\d+/[12]\d{3}\s+\d+:\d+:[0-5]?\d\s+[AaPp][Mm]\s*$')
      THEN SAFE.PARSE_DATETIME('%m/%d/%Y %I:%M:%S %p', value)
    WHEN REGEXP_CONTAINS(value, r'^[12]\d{3}-\d\d-\d\d[ T]\d\d:\d\d:[0-5]\d(?:\.\d*)?(?: UTC)?$')
      THEN SAFE.PARSE_DATETIME('%Y-%m-%d %H:%M:%S', REPLACE(SUBSTR(value, 1, 19), 'T', ' '))
    WHEN REGEXP_CONTAINS(value, r'^\s*\d+/\d+/[12]\d{3} \d+:\d+\s*$')
      THEN SAFE.PARSE_DATETIME('%m/%d/%Y %H:%M', value)
    WHEN REGEXP_CONTAINS(value, r'^[\s\pZ="]*(?:\d\d?[- ]?)?[\s\pZ]*[A-Za-z]')
      THEN COALESCE(
        SAFE.PARSE_DATETIME('%b/%d/%Y,%H:%M:%S,', READ_PLAIN_DATE(value)),
        SAFE.PARSE_DATETIME('%b/%d/%Y,%I:%M:%S,%p', READ_PLAIN_DATE(value))
      )
    ELSE COALESCE(
      SAFE.PARSE_DATETIME('%m/%d/%Y,%H:%M:%S,', READ_PLAIN_DATE(value)),
      SAFE.PARSE_DATETIME('%m/%d/%Y,%I:%M:%S,%p', READ_PLAIN_DATE(value))
    )
  END AS read_datetime
