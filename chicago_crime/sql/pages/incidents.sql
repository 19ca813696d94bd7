-- What:    incidents that match the filters, sorted by @sorted_by (unknown values last), then newest first.
-- Grain:   crime; at most @row_count after the first @skipped.
-- Columns: the columns of the page Incidents, and the sort key (NULL when sorted by date).
SELECT
  id,
  case_number,
  date,
  block,
  primary_type,
  description,
  location_description,
  community_area,
  district,
  beat,
  ward,
  arrest,
  domestic,
  iucr,
  fbi_code,
  latitude,
  longitude,
  CASE @sorted_by
    WHEN 'case_number' THEN case_number
    WHEN 'block' THEN block
    WHEN 'primary_type' THEN primary_type
    WHEN 'description' THEN description
    WHEN 'location_description' THEN location_description
    WHEN 'area' THEN community_area_name
    WHEN 'arrest' THEN CAST(arrest AS STRING)
    WHEN 'domestic' THEN CAST(domestic AS STRING)
  END AS sort_key
FROM enriched_crimes
WHERE matches_filters
ORDER BY
  sort_key IS NULL ASC,
  IF(@is_descending, NULL, sort_key) ASC,
  sort_key DESC,
  IF(@sorted_by = 'date' AND NOT @is_descending, date, NULL) ASC,
  date DESC,
  id DESC
LIMIT @row_count OFFSET @skipped
