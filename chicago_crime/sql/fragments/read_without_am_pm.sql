-- What:    a date without AM or PM at its end; NULL if it has either.
-- Grain:   none: an expression that replaces calls of READ_WITHOUT_AM_PM in other statements.
-- Columns: the expression, over `value`.
SELECT IF(value LIKE '%M' OR value LIKE '%m' OR value LIKE '%.', NULL, value) AS read_without_am_pm
