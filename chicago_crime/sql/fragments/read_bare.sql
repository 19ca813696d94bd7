-- What:    text without surrounding whitespace and without the ="..." that makes spreadsheets treat a value as text.
-- Grain:   none: an expression that replaces calls of READ_BARE in other statements.
-- Columns: the expression, over `value`. Only for numbers and flags, where none of these characters is significant.
SELECT TRIM(value, '=" \t\r\n\u00a0\u202f') AS read_bare
