-- Where was violent crime highest, per 1,000 residents, in the newest year loaded?
SELECT
  community_area_name AS area,
  crimes AS violent,
  ROUND(10 * rate_per_1000) / 10 AS per_1000,
  days_covered,
  is_small_population AS few_residents
FROM area_rates
WHERE
  offense_class = 'violent'
  AND year = (SELECT MAX(year) FROM area_rates)
ORDER BY rate_per_1000 DESC, community_area_name
LIMIT 5
