-- What:    the newest 28 days and the year to date, and the same days of earlier years, for the page Signals.
-- Grain:   years back, IUCR code, crime type and community area.
-- Columns: the grain, and the crimes of both periods ending on @last_day, shifted by years_back years.
WITH ends AS (
  SELECT
    years_back,
    DATE(DATE_SUB(@last_day, INTERVAL years_back YEAR)) AS last_day
  FROM UNNEST(@years_back) AS years_back
)

SELECT
  years_back,
  iucr,
  primary_type_comparable AS type,
  community_area,
  COUNTIF(DATE(date) > DATE_SUB(last_day, INTERVAL 28 DAY)) AS days_28,
  COUNTIF(DATE(date) >= DATE_TRUNC(last_day, YEAR)) AS year_to_date
FROM enriched_crimes
INNER JOIN ends
  ON
    DATE(date) >= LEAST(DATE_TRUNC(last_day, YEAR), DATE_SUB(last_day, INTERVAL 27 DAY))
    AND DATE(date) <= last_day
WHERE year IN UNNEST(@years)
GROUP BY years_back, iucr, type, community_area
ORDER BY type, iucr
