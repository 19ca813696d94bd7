-- What:    text parsed as a date and time in Chicago local time; NULL if it cannot be parsed.
-- Grain:   none: an expression that replaces calls of READ_DATETIME in other statements.
-- Columns: the expression, over `value`.
-- A date without a time becomes midnight. Months come before days: the gate refuses files with days first or ambiguous.
-- Each format has its own pattern because engines differ in what else they parse. The most common formats come first and
-- avoid the slow rewriting.
SELECT
  CASE
    WHEN REGEXP_CONTAINS(value, r'^\s*\d+/\d+/[12]\d{3}\s+\d+:\d+:[0-5]?\d\s+[AaPp][Mm]\s*$')
      THEN SAFE.PARSE_DATETIME('%m/%d/%Y %I:%M:%S %p', value)
    WHEN REGEXP_CONTAINS(value, r'^[12]\d{3}-\d\d-\d\d[ T]\d\d:\d\d:[0-5]\d(?:\.\d*)?(?: UTC)?$')
      THEN SAFE.PARSE_DATETIME('%Y-%m-%d %H:%M:%S', REPLACE(SUBSTR(value, 1, 19), 'T', ' '))
    WHEN REGEXP_CONTAINS(value, r'^\s*\d+/\d+/[12]\d{3} \d+:\d+\s*$')
      THEN SAFE.PARSE_DATETIME('%m/%d/%Y %H:%M', value)
    WHEN REGEXP_CONTAINS(value, r'^[\s\pZ="]*(?:(?:[12]\d)?\d\d?[- ]?)?[\s\pZ]*[A-Za-z]')
      THEN COALESCE(
        SAFE.PARSE_DATETIME('%b/%d/%Y,%H:%M:%S,', READ_PLAIN_DATE(value)),
        SAFE.PARSE_DATETIME('%b/%d/%Y,%I:%M:%S,%p', READ_PLAIN_DATE(value))
      )
    ELSE COALESCE(
      SAFE.PARSE_DATETIME('%m/%d/%Y,%H:%M:%S,', READ_PLAIN_DATE(value)),
      SAFE.PARSE_DATETIME('%m/%d/%Y,%I:%M:%S,%p', READ_PLAIN_DATE(value))
    )
  END AS read_datetime
