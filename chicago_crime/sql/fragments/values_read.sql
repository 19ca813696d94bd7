-- What:    counts of what can be parsed in a year's file. The gate runs it on the file before any table changes.
-- Grain:   one row.
-- Columns: rows; rows without an id or date; dates without AM or PM, and those of them at 1, at 12 and at hours that
--          a 12-hour clock lacks; dates at one minute past 12 and later hours, and at 5:01 and 6:01; distinct ids;
--          per typed column, values parsed and values present but not parsed (unreadable_...); per coordinate, values in
--          Chicago (inside_...) and elsewhere (outside_...), except 0 and the point in Missouri, which mean no location;
--          flags that are true; per date column, dates that do not start with month and day as numbers (rewritten_...);
--          dates in another format than the City's (reformatted_date);
--          per date column, dates in numbers that another program than the City's wrote, day or month first (unsure_...);
--          dates with a time other than midnight; dates after the last update; the newest update; two-digit
--          years other than `year`. A count whose first value the gate quotes must be COUNT(value), not
--          COUNTIF(condition): `_numbered_values` in `intake/value_counts.py` selects the value.
SELECT
  COUNT(*) AS crimes,
  COUNTIF(id IS NULL OR date IS NULL) AS rejected,
  COUNT(IF(date IS NOT NULL, READ_WITHOUT_AM_PM(raw.date), NULL)) AS without_am_pm,
  COUNTIF(EXTRACT(HOUR FROM date) = 1 AND READ_WITHOUT_AM_PM(raw.date) IS NOT NULL) AS at_1,
  COUNTIF(EXTRACT(HOUR FROM date) = 12 AND READ_WITHOUT_AM_PM(raw.date) IS NOT NULL) AS at_12,
  COUNTIF(EXTRACT(HOUR FROM date) NOT BETWEEN 1 AND 12 AND READ_WITHOUT_AM_PM(raw.date) IS NOT NULL) AS at_other_hours,
  COUNTIF(EXTRACT(MINUTE FROM date) = 1 AND EXTRACT(HOUR FROM date) >= 12) AS past_hours_from_12,
  COUNT(IF(EXTRACT(MINUTE FROM date) = 1 AND EXTRACT(HOUR FROM date) IN (5, 6), raw.date, NULL)) AS at_midnight_in_utc,
  COUNT(DISTINCT id) AS distinct_ids,
  COUNT(id) AS id,
  COUNT(date) AS date,
  COUNT(READ_TEXT(raw.primary_type)) AS primary_type,
  COUNT(arrest) AS arrest,
  COUNTIF(arrest) AS arrest_yes,
  COUNT(domestic) AS domestic,
  COUNTIF(domestic) AS domestic_yes,
  COUNT(beat) AS beat,
  COUNT(district) AS district,
  COUNT(ward) AS ward,
  COUNT(community_area) AS community_area,
  COUNT(READ_TEXT(raw.fbi_code)) AS fbi_code,
  COUNT(x_coordinate) AS x_coordinate,
  COUNT(y_coordinate) AS y_coordinate,
  COUNT(updated_on) AS updated_on,
  COUNT(latitude) AS latitude,
  COUNT(longitude) AS longitude,
  COUNTIF(x_coordinate BETWEEN @west_ft AND @east_ft) AS inside_x_coordinate,
  COUNT(IF(x_coordinate NOT BETWEEN @west_ft AND @east_ft AND ROUND(x_coordinate) NOT IN (0), x_coordinate, NULL)) AS outside_x_coordinate,
  COUNTIF(y_coordinate BETWEEN @south_ft AND @north_ft) AS inside_y_coordinate,
  COUNT(IF(y_coordinate NOT BETWEEN @south_ft AND @north_ft AND ROUND(y_coordinate) NOT IN (0), y_coordinate, NULL)) AS outside_y_coordinate,
  COUNTIF(latitude BETWEEN @south AND @north) AS inside_latitude,
  COUNT(IF(latitude NOT BETWEEN @south AND @north AND ROUND(latitude) NOT IN (0, 37), latitude, NULL)) AS outside_latitude,
  COUNTIF(longitude BETWEEN @west AND @east) AS inside_longitude,
  COUNT(IF(longitude NOT BETWEEN @west AND @east AND ROUND(longitude) NOT IN (0, -92), longitude, NULL)) AS outside_longitude,
  COUNT(IF(date IS NOT NULL, READ_REWRITTEN(raw.date), NULL)) AS rewritten_date,
  COUNT(IF(updated_on IS NOT NULL, READ_REWRITTEN(raw.updated_on), NULL)) AS rewritten_updated_on,
  COUNT(IF(date IS NOT NULL, READ_REFORMATTED(raw.date), NULL)) AS reformatted_date,
  COUNT(
    IF(
      date IS NOT NULL
      AND READ_REFORMATTED(raw.date) IS NOT NULL
      AND REGEXP_CONTAINS(raw.date, r'^[\s="]*\d\d?[-/]\d\d?[-/]\d\d(?:\D|\d\d[^AaPp]*$|$)'),
      raw.date,
      NULL
    )
  ) AS unsure_date,
  COUNT(
    IF(
      updated_on IS NOT NULL AND raw.updated_on NOT LIKE '%M' AND REGEXP_CONTAINS(raw.updated_on, r'^[\s="]*\d\d?[-/]\d\d?[-/]\d'),
      raw.updated_on,
      NULL
    )
  ) AS unsure_updated_on,
  COUNTIF(date != DATETIME_TRUNC(date, DAY)) AS with_time,
  COUNT(IF(date > updated_on, raw.date, NULL)) AS after_update,
  MAX(updated_on) AS last_update,
  COUNT(
    IF(READ_INTEGER(raw.year) != EXTRACT(YEAR FROM date), IF(REGEXP_CONTAINS(raw.date, r'[12]\d{3}'), NULL, raw.date), NULL)
  ) AS other_year,
  COUNT(IF(id IS NULL, READ_TEXT(raw.id), NULL)) AS unreadable_id,
  COUNT(IF(date IS NULL, READ_TEXT(raw.date), NULL)) AS unreadable_date,
  COUNT(IF(arrest IS NULL, READ_TEXT(raw.arrest), NULL)) AS unreadable_arrest,
  COUNT(IF(domestic IS NULL, READ_TEXT(raw.domestic), NULL)) AS unreadable_domestic,
  COUNT(IF(beat IS NULL, READ_TEXT(raw.beat), NULL)) AS unreadable_beat,
  COUNT(IF(district IS NULL, READ_TEXT(raw.district), NULL)) AS unreadable_district,
  COUNT(IF(ward IS NULL, READ_TEXT(raw.ward), NULL)) AS unreadable_ward,
  COUNT(IF(community_area IS NULL, READ_TEXT(raw.community_area), NULL)) AS unreadable_community_area,
  COUNT(IF(x_coordinate IS NULL, READ_TEXT(raw.x_coordinate), NULL)) AS unreadable_x_coordinate,
  COUNT(IF(y_coordinate IS NULL, READ_TEXT(raw.y_coordinate), NULL)) AS unreadable_y_coordinate,
  COUNT(IF(updated_on IS NULL, READ_TEXT(raw.updated_on), NULL)) AS unreadable_updated_on,
  -- A location without a number of two digits has no coordinates.
  COUNT(
    IF(
      latitude IS NULL, COALESCE(READ_TEXT(raw.latitude), IF(REGEXP_CONTAINS(raw.location, r'\d\d'), raw.location, NULL)), NULL
    )
  ) AS unreadable_latitude,
  COUNT(
    IF(
      longitude IS NULL,
      COALESCE(READ_TEXT(raw.longitude), IF(REGEXP_CONTAINS(raw.location, r'\d\d'), raw.location, NULL)),
      NULL
    )
  ) AS unreadable_longitude
FROM parsed_crimes
