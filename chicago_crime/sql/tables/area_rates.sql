-- What:    annual crimes per 1,000 residents. Areas without crimes of a class have a row with 0.
-- Grain:   year, community area and offense class (or all).
-- Columns: the grain, counts, population, newest year with a census or estimate, whether the population is small, rate,
--          days covered, and the last of them.
WITH counted AS (
  SELECT
    community_area,
    offense_class,
    COUNT(*) AS crimes,
    COUNTIF(arrest) AS arrests
  FROM enriched_crimes
  GROUP BY community_area, offense_class
),

by_day AS (
  SELECT
    DATE(date) AS day,
    COUNT(*) AS crimes,
    COUNT(community_area) AS with_area,
    COUNTIF(updated_on >= DATETIME(DATE(@year + 1, 1, 8))) AS late_updates
  FROM enriched_crimes
  GROUP BY day
),

runs AS (
  SELECT
    day,
    crimes,
    with_area,
    late_updates,
    DATE_DIFF(day, LAG(day, 1, DATE(@year - 1, 12, 31)) OVER (ORDER BY day), DAY) - 1 AS empty_days,
    SUM(crimes) OVER () AS all_crimes,
    DATE_DIFF(MAX(day) OVER (), DATE(@year - 1, 12, 31), DAY) AS days,
    DATE_DIFF(DATE(@year, 12, 31), DATE(@year - 1, 12, 31), DAY) AS days_of_year
  FROM by_day
),

-- Empty days count, unless they are a gap in the file: the rule of `find_gaps` in `tables/years.py`. So do those at the
-- end of a year with two updates after the City had published all of it (one may be wrong), unless their probability is at
-- most e^-10: a part of a year must not count as all of it.
judged AS (
  SELECT
    *,
    all_crimes * LN(days / (days - empty_days)) >= IF(all_crimes >= 50 * days, 20, IF(empty_days <= 7, 80, 40))
      AS is_gap,
    all_crimes * LN(days_of_year / days) < 10 AND SUM(late_updates) OVER () >= 2 AS is_over
  FROM runs
),

covered AS (
  SELECT
    SUM(IF(is_gap, 1, 1 + empty_days)) + MAX(IF(is_over, days_of_year - days, 0)) AS days_covered,
    MAX(IF(is_over, DATE(@year, 12, 31), day)) AS covered_to,
    SUM(with_area) >= 0.99 * SUM(crimes) AS has_areas
  FROM judged
),

known AS (
  SELECT
    community_area,
    COALESCE(MAX(IF(year <= @year, year, NULL)), MIN(year)) AS earlier,
    COALESCE(MIN(IF(year >= @year, year, NULL)), MAX(year)) AS later,
    MAX(year) AS population_known_to
  FROM residents
  GROUP BY community_area
),

lived AS (
  SELECT
    known.community_area,
    community_areas.name,
    community_areas.side,
    -- Linear between known years, constant before the first and after the last.
    earliest.population
    + COALESCE(
      SAFE_DIVIDE((latest.population - earliest.population) * (@year - known.earlier), known.later - known.earlier), 0
    ) AS population,
    known.population_known_to
  FROM known
  INNER JOIN community_areas ON known.community_area = community_areas.community_area
  INNER JOIN residents AS earliest
    ON known.community_area = earliest.community_area AND known.earlier = earliest.year
  INNER JOIN residents AS latest
    ON known.community_area = latest.community_area AND known.later = latest.year
),

grid AS (
  SELECT
    lived.*,
    offense_class
  FROM lived
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
  grid.population_known_to,
  grid.population < 10000 AS is_small_population,
  -- Where many crimes lack the area, too few are counted.
  IF(
    LOGICAL_AND(covered.has_areas),
    COALESCE(
      SUM(counted.crimes) * 1000 * DATE_DIFF(DATE(@year + 1, 1, 1), DATE(@year, 1, 1), DAY)
      / (grid.population * MAX(covered.days_covered)),
      0
    ),
    NULL
  ) AS rate_per_1000,
  COALESCE(MAX(covered.days_covered), 0) AS days_covered,
  MAX(covered.covered_to) AS covered_to
FROM grid
CROSS JOIN covered
LEFT JOIN counted
  ON
    counted.community_area = grid.community_area
    AND (grid.offense_class = 'all' OR counted.offense_class = grid.offense_class)
GROUP BY grid.community_area, grid.name, grid.side, grid.offense_class, grid.population, grid.population_known_to
