-- What:    changes between the published version of a year and the new one.
-- Grain:   snapshot, crime and kind of change; repeated if the same snapshot was loaded with other values.
-- Columns: year, both snapshots, the crime as it is now (or was, if it vanished), kind, old and new value.
-- It runs before crimes is replaced: crimes still has the published version, raw_crimes the new one, and revisions the
-- earlier changes, which are kept. Running it twice gives the same result.
-- If the snapshots share less than half of the smaller one, the new one is another dataset, such as real data replacing a
-- sample: one row records that, and the earlier changes are dropped together with their dataset.
WITH both_snapshots AS (
  SELECT
    FALSE AS is_new,
    *
  FROM crimes
  UNION ALL BY NAME
  SELECT
    TRUE AS is_new,
    * EXCEPT (raw, reason)
  FROM typed_crimes
  WHERE reason IS NULL
),

-- One string per kind of change. A dash replaces NULL, which would make comparisons NULL.
described AS (
  SELECT
    is_new,
    id,
    date,
    primary_type,
    community_area,
    updated_on,
    CONCAT(COALESCE(iucr, '-'), ' ', COALESCE(fbi_code, '-'), ' ', COALESCE(primary_type, '-')) AS offense,
    COALESCE(CAST(arrest AS STRING), '-') AS arrest,
    -- Rounded feet, because publishers write coordinates with different precision, and degrees are derived from feet.
    CONCAT(
      COALESCE(block, '-'),
      ', area ',
      COALESCE(CAST(community_area AS STRING), '-'),
      ', x ',
      COALESCE(CAST(IF(ABS(x_coordinate) < 1e15, CAST(ROUND(x_coordinate) AS INT64), NULL) AS STRING), '-'),
      ', y ',
      COALESCE(CAST(IF(ABS(y_coordinate) < 1e15, CAST(ROUND(y_coordinate) AS INT64), NULL) AS STRING), '-')
    ) AS place,
    CONCAT('case ', COALESCE(case_number, '-')) AS case_text,
    FORMAT_DATETIME('%Y-%m-%d %H:%M:%S', date) AS date_text,
    COALESCE(description, '-') AS description,
    CONCAT('at ', COALESCE(location_description, '-')) AS location_text,
    CONCAT('domestic ', COALESCE(CAST(domestic AS STRING), '-')) AS domestic_text,
    CONCAT('beat ', COALESCE(CAST(beat AS STRING), '-')) AS beat_text,
    CONCAT('district ', COALESCE(CAST(district AS STRING), '-')) AS district_text,
    CONCAT('ward ', COALESCE(CAST(ward AS STRING), '-')) AS ward_text
  FROM both_snapshots
),

compared AS (
  SELECT
    COALESCE(fresh.id, former.id) AS id,
    former.id IS NOT NULL AS was_there,
    fresh.id IS NOT NULL AS is_there,
    COALESCE(fresh.date, former.date) AS date,
    IF(fresh.id IS NULL, former.primary_type, fresh.primary_type) AS primary_type,
    IF(fresh.id IS NULL, former.community_area, fresh.community_area) AS community_area,
    COALESCE(former.updated_on, former.date) AS old_updated_on,
    COALESCE(fresh.updated_on, fresh.date) AS new_updated_on,
    former.offense AS old_offense,
    fresh.offense AS new_offense,
    former.arrest AS old_arrest,
    fresh.arrest AS new_arrest,
    former.place AS old_place,
    fresh.place AS new_place,
    ARRAY_TO_STRING([
      IF(former.case_text != fresh.case_text, former.case_text, NULL),
      IF(former.date_text != fresh.date_text, former.date_text, NULL),
      IF(former.description != fresh.description, former.description, NULL),
      IF(former.location_text != fresh.location_text, former.location_text, NULL),
      IF(former.domestic_text != fresh.domestic_text, former.domestic_text, NULL),
      IF(former.beat_text != fresh.beat_text, former.beat_text, NULL),
      IF(former.district_text != fresh.district_text, former.district_text, NULL),
      IF(former.ward_text != fresh.ward_text, former.ward_text, NULL)
    ], '; ') AS old_rest,
    ARRAY_TO_STRING([
      IF(former.case_text != fresh.case_text, fresh.case_text, NULL),
      IF(former.date_text != fresh.date_text, fresh.date_text, NULL),
      IF(former.description != fresh.description, fresh.description, NULL),
      IF(former.location_text != fresh.location_text, fresh.location_text, NULL),
      IF(former.domestic_text != fresh.domestic_text, fresh.domestic_text, NULL),
      IF(former.beat_text != fresh.beat_text, fresh.beat_text, NULL),
      IF(former.district_text != fresh.district_text, fresh.district_text, NULL),
      IF(former.ward_text != fresh.ward_text, fresh.ward_text, NULL)
    ], '; ') AS new_rest
  FROM (SELECT * FROM described WHERE NOT is_new) AS former
  FULL JOIN (SELECT * FROM described WHERE is_new) AS fresh ON former.id = fresh.id
),

snapshots AS (
  SELECT
    MAX(new_updated_on) AS snapshot,
    MAX(old_updated_on) AS previous_snapshot,
    COUNTIF(was_there) AS old_crimes,
    COUNTIF(is_there) AS new_crimes,
    2 * COUNTIF(was_there AND is_there) >= LEAST(COUNTIF(was_there), COUNTIF(is_there)) AS is_same_data
  FROM compared
),

changes AS (
  SELECT
    id,
    kind,
    CASE kind
      WHEN 'vanished' THEN old_offense
      WHEN 'reclassified' THEN old_offense
      WHEN 'arrest_turned' THEN old_arrest
      WHEN 'moved' THEN old_place
      WHEN 'corrected' THEN old_rest
    END AS old_value,
    CASE kind
      WHEN 'added' THEN new_offense
      WHEN 'reclassified' THEN new_offense
      WHEN 'arrest_turned' THEN new_arrest
      WHEN 'moved' THEN new_place
      WHEN 'corrected' THEN new_rest
    END AS new_value,
    date,
    primary_type,
    community_area
  FROM compared
  CROSS JOIN UNNEST(['added', 'vanished', 'reclassified', 'arrest_turned', 'moved', 'corrected']) AS kind
  WHERE
    CASE kind
      WHEN 'added' THEN NOT was_there
      WHEN 'vanished' THEN NOT is_there
      WHEN 'reclassified' THEN old_offense != new_offense
      WHEN 'arrest_turned' THEN old_arrest != new_arrest
      WHEN 'moved' THEN old_place != new_place
      WHEN 'corrected' THEN old_rest != new_rest
    END
)

SELECT
  year,
  snapshot,
  previous_snapshot,
  id,
  kind,
  old_value,
  new_value,
  date,
  primary_type,
  community_area
FROM revisions
WHERE (SELECT is_same_data FROM snapshots)
UNION DISTINCT
SELECT
  @year AS year,
  snapshots.snapshot,
  snapshots.previous_snapshot,
  changes.id,
  changes.kind,
  changes.old_value,
  changes.new_value,
  changes.date,
  changes.primary_type,
  changes.community_area
FROM changes
CROSS JOIN snapshots
WHERE snapshots.is_same_data
UNION DISTINCT
SELECT
  @year AS year,
  snapshot,
  previous_snapshot,
  NULL AS id,
  'another_data_set' AS kind,
  CONCAT(CAST(old_crimes AS STRING), ' crimes') AS old_value,
  CONCAT(CAST(new_crimes AS STRING), ' crimes') AS new_value,
  NULL AS date,
  NULL AS primary_type,
  NULL AS community_area
FROM snapshots
WHERE NOT is_same_data
