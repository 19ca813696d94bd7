-- What:    the residents of the community areas.
-- Grain:   year and community area.
-- Columns: the grain, name, side and residents.
SELECT
  year,
  community_area,
  community_area_name,
  side,
  population
FROM area_rates
WHERE offense_class = 'all'
