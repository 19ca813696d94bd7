-- What:    the residents of the community areas.
-- Grain:   year and community area.
-- Columns: the grain, name, side, residents and whether the population is small.
SELECT
  year,
  community_area,
  community_area_name,
  side,
  population,
  is_small_population
FROM area_rates
WHERE offense_class = 'all'
