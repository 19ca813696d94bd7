-- What:    crimes per 1,000 residents a year. An area without crimes of a class has a row with 0.
-- Grain:   year, community area and offense class (or all).
-- Columns: the grain, counts, residents, whether the population is small, the rate and the days of the year that it covers.
WITH counted AS (
  SELECT
    community_area,
    offense_class,
    COUNT(*) AS crimes,
    COUNTIF(arrest) AS arrests
  FROM enriched_crimes
  WHERE year = @year
  GROUP BY community_area, offense_class
),

covered AS (
  SELECT DATE_DIFF(DATE(MAX(date)), DATE(@year, 1, 1), DAY) + 1 AS days_covered
  FROM enriched_crimes
  WHERE year = @year
),

residents AS (
  SELECT
    community_area,
    name,
    side,
    -- A straight line between the two censuses, held flat before the first and after the second.
    population_2010 + (population_2020 - population_2010) * (LEAST(GREATEST(@year, 2010), 2020) - 2010) / 10 AS population
  FROM community_areas
),

grid AS (
  SELECT
    residents.*,
    offense_class
  FROM residents
  CROSS JOIN UNNEST(['all', 'violent', 'property', 'non_index']) AS offense_class
)

SELECT
  @year AS year,
  grid.community_area,
  grid.name AS community_area_name,
  grid.side,
  grid.offense_class,
  COALESCE(SUM(counted.crimes), 0) AS crimes,
  COALESCE(SUM(counted.arrests), 0) AS arrests,
  grid.population,
  grid.population < 10000 AS is_small_population,
  COALESCE(
    SUM(counted.crimes) * 1000 * DATE_DIFF(DATE(@year + 1, 1, 1), DATE(@year, 1, 1), DAY)
    / (grid.population * MAX(covered.days_covered)),
    0
  ) AS rate_per_1000,
  COALESCE(MAX(covered.days_covered), 0) AS days_covered
FROM grid
CROSS JOIN covered
LEFT JOIN counted
  ON
    counted.community_area = grid.community_area
    AND (grid.offense_class = 'all' OR counted.offense_class = grid.offense_class)
GROUP BY grid.community_area, grid.name, grid.side, grid.offense_class, grid.population
