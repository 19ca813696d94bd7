-- What:    a text without the blanks around it, and without the ="..." in which spreadsheets are told to keep a text.
-- Grain:   not a table: an expression that replaces calls of READ_BARE in other statements.
-- Columns: the expression, over the text `value`; of numbers and flags, in which none of these signs has a meaning.
SELECT TRIM(value, '=" \t\r\n\u00a0\u202f') AS read_bare
