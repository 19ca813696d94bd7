-- What:    a date without AM or PM at its end; NULL if it has either.
-- Grain:   none: an expression that replaces calls of READ_WITHOUT_AM_PM in other statements.
-- Columns: the expression, over `value`.
SELECT IF(RIGHT(value, 1) NOT IN ('M', 'm', '.'), value, NULL) AS read_without_am_pm
