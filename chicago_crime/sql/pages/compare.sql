-- What:    three periods and the same periods of earlier years, for the page Compare.
-- Grain:   place of the kind @place (area, district, ward or beat), or type if @place is type; and years back.
-- Columns: the grain; crimes in the 28 days and the year to date ending on @last_day, and in the last full calendar year,
--          each shifted by years_back years.
WITH by_day AS (
  SELECT
    IF(@place = 'type', primary_type_comparable, CAST(chosen_place AS STRING)) AS row_name,
    DATE(date) AS day,
    COUNT(*) AS crimes
  FROM enriched_crimes
  WHERE matches_filters
  GROUP BY row_name, day
),

ends AS (
  SELECT
    years_back,
    DATE(DATE_SUB(@last_day, INTERVAL years_back YEAR)) AS last_day,
    EXTRACT(YEAR FROM DATE_ADD(@last_day, INTERVAL 1 DAY)) - 1 - years_back AS calendar_year
  FROM UNNEST(@years_back) AS years_back
)

SELECT
  row_name,
  years_back,
  SUM(IF(day > DATE_SUB(last_day, INTERVAL 28 DAY) AND day <= last_day, crimes, 0)) AS days_28,
  SUM(IF(day >= DATE_TRUNC(last_day, YEAR) AND day <= last_day, crimes, 0)) AS year_to_date,
  SUM(IF(EXTRACT(YEAR FROM day) = calendar_year, crimes, 0)) AS whole_year
FROM by_day
INNER JOIN ends
  ON
    by_day.day >= LEAST(DATE(calendar_year, 1, 1), DATE_SUB(last_day, INTERVAL 27 DAY))
    AND by_day.day <= GREATEST(DATE(calendar_year, 12, 31), last_day)
GROUP BY row_name, years_back
