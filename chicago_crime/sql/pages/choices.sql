-- What:    the choices that the filters offer.
-- Grain:   type under both labels; and again district.
-- Columns: the grain and its crimes in all years.
SELECT
  primary_type,
  primary_type_comparable,
  district,
  SUM(crimes) AS crimes
FROM crimes_monthly
GROUP BY GROUPING SETS ((primary_type, primary_type_comparable), (district))
