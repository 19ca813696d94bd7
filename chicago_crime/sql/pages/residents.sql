-- What:    population of the community areas.
-- Grain:   year and community area.
-- Columns: the grain, name, side, population, newest year with a census or estimate, and whether the population is small.
SELECT
  year,
  community_area,
  community_area_name,
  side,
  population,
  population_known_to,
  is_small_population
FROM area_rates
WHERE offense_class = 'all'
ORDER BY year, community_area
