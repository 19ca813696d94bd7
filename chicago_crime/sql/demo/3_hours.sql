-- At which hours do most violent crimes happen? (Unknown times are excluded.)
SELECT
  hour,
  SUM(crimes) AS violent_crimes,
  ROUND(1000 * SUM(crimes) / (SELECT SUM(crimes) FROM crimes_hourly WHERE offense_class = 'violent')) / 10 AS percent
FROM crimes_hourly
WHERE offense_class = 'violent'
GROUP BY hour
ORDER BY violent_crimes DESC, hour
LIMIT 5
