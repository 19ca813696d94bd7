-- What:    all that the page Compare shows: three spans that end on a date, and the same ones up to three years before.
-- Grain:   place or type (what @rows_are says), and how many years back.
-- Columns: the grain; crimes in the 28 days, in the year to date and in the 12 months that end on the day.
WITH by_day AS (
  SELECT
    CASE @rows_are
      WHEN 'area' THEN CAST(community_area AS STRING)
      WHEN 'district' THEN CAST(district AS STRING)
      ELSE IF(@source_labels, primary_type, primary_type_comparable)
    END AS row_name,
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
    DATE(DATE_SUB(@last_day, INTERVAL (years_back + 1) YEAR)) AS last_day_before
  FROM UNNEST([0, 1, 2, 3]) AS years_back
)

SELECT
  row_name,
  years_back,
  SUM(IF(day > DATE_SUB(last_day, INTERVAL 28 DAY), crimes, 0)) AS days_28,
  SUM(IF(EXTRACT(YEAR FROM day) = EXTRACT(YEAR FROM last_day), crimes, 0)) AS year_to_date,
  SUM(crimes) AS months_12
FROM by_day
INNER JOIN ends
  ON
    by_day.day <= ends.last_day
    AND by_day.day > ends.last_day_before
GROUP BY row_name, years_back
