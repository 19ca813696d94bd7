-- What:    all raw rows with typed values and, for rejected rows, the reason.
-- Grain:   row of raw_crimes.
-- Columns: the columns of crimes; raw (the original row); reason (NULL for accepted rows).
-- Other statements use it like a table: it is inserted as a subquery.
WITH judged AS (
  SELECT
    *,
    -- The City has two placeholders for "no location": zero, and a point in Missouri. Other programs round them.
    ROUND(x_coordinate) = 0 AND ROUND(y_coordinate) = 0 AS lacks_feet,
    ROUND(latitude) IN (0, 37) AND ROUND(longitude) IN (0, -92) AS lacks_degrees,
    CASE
      WHEN id IS NULL THEN 'missing_id'
      WHEN date IS NULL THEN 'unreadable_date'
      WHEN EXTRACT(YEAR FROM date) != @year THEN 'date_outside_year'
    END AS reason
  FROM parsed_crimes
),

-- Few ids repeat, so only those go through the expensive ranking.
repeated AS (
  SELECT id
  FROM judged
  WHERE reason IS NULL
  GROUP BY id
  HAVING COUNT(*) > 1
),

ranked AS (
  SELECT
    * EXCEPT (reason),
    IF(
      -- Keep the most recently updated row. All other columns break ties, so that the order of rows does not matter;
      -- descending, because NULLs then come last: an extract may lack columns.
      ROW_NUMBER() OVER (
        PARTITION BY id
        ORDER BY
          updated_on DESC, date DESC, case_number DESC, block DESC, iucr DESC, primary_type DESC, description DESC,
          location_description DESC, arrest DESC, domestic DESC, beat DESC, district DESC, ward DESC,
          community_area DESC, fbi_code DESC, x_coordinate DESC, y_coordinate DESC, latitude DESC, longitude DESC,
          raw_id DESC
      ) = 1, NULL, 'superseded'
    ) AS reason
  FROM judged
  WHERE reason IS NULL AND id IN (SELECT id FROM repeated)
),

settled AS (
  SELECT * FROM judged WHERE reason IS NOT NULL OR id NOT IN (SELECT id FROM repeated)
  UNION ALL
  SELECT * FROM ranked
)

SELECT
  raw,
  reason,
  id,
  case_number,
  date,
  -- The first block of a street is 0000X, but 000XX in most homicides.
  IF(STARTS_WITH(block, '000XX '), CONCAT('0000X ', SUBSTR(block, 7)), block) AS block,
  -- 41.0 is 0041. Regular expressions are slow, and few codes need one.
  CASE
    WHEN iucr LIKE '%.0' AND LENGTH(iucr) < 7 THEN LPAD(REGEXP_REPLACE(iucr, r'\.0$', ''), 4, '0')
    WHEN LENGTH(iucr) < 4 THEN LPAD(iucr, 4, '0')
    ELSE iucr
  END AS iucr,
  primary_type,
  description,
  location_description,
  arrest,
  domestic,
  beat,
  district,
  NULLIF(ward, 0) AS ward,
  NULLIF(community_area, 0) AS community_area,
  -- 6 is 06, and 8B is 08B.
  CASE
    WHEN LENGTH(fbi_code) < 3 AND REGEXP_CONTAINS(fbi_code, r'^\d[A-Z]?$') THEN CONCAT('0', fbi_code)
    WHEN fbi_code LIKE '%.0' AND LENGTH(fbi_code) < 5 THEN LPAD(REGEXP_REPLACE(fbi_code, r'\.0$', ''), 2, '0')
    ELSE fbi_code
  END AS fbi_code,
  IF(lacks_feet, NULL, x_coordinate) AS x_coordinate,
  IF(lacks_feet, NULL, y_coordinate) AS y_coordinate,
  EXTRACT(YEAR FROM date) AS year,
  updated_on,
  IF(lacks_degrees, NULL, latitude) AS latitude,
  IF(lacks_degrees, NULL, longitude) AS longitude,
  DATE_TRUNC(DATE(date), MONTH) AS month
FROM settled
