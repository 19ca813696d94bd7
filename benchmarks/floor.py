"""The floor: one process with DuckDB and hand-written SQL for clean files, without checks, events or resumption.

    python -m benchmarks.floor CSV_FOLDER OUTPUT_FOLDER

It copies the yearly files and writes the same raw, typed, enriched and summary tables as the platform, as Parquet. Any
additional time of the platform is the cost of its other features.
"""

import shutil
import sys
from pathlib import Path

import duckdb

from chicago_crime import reference
from chicago_crime.tables.columns import SOURCE_COLUMNS

COLUMNS = ", ".join(f"'{column.name}': 'VARCHAR'" for column in SOURCE_COLUMNS)

TYPED = """
    SELECT id::BIGINT AS id, case_number, strptime(date, '%m/%d/%Y %I:%M:%S %p') AS date, block, iucr, primary_type,
        description, location_description, arrest::BOOLEAN AS arrest, domestic::BOOLEAN AS domestic,
        beat::BIGINT AS beat, district::BIGINT AS district, ward::BIGINT AS ward,
        NULLIF(community_area::BIGINT, 0) AS community_area, fbi_code, x_coordinate::DOUBLE AS x_coordinate,
        y_coordinate::DOUBLE AS y_coordinate, year::BIGINT AS year,
        strptime(updated_on, '%m/%d/%Y %I:%M:%S %p') AS updated_on, latitude::DOUBLE AS latitude,
        longitude::DOUBLE AS longitude, date_trunc('month', strptime(date, '%m/%d/%Y %I:%M:%S %p'))::DATE AS month
    FROM raw_crimes ORDER BY month, primary_type, date, id
"""
ENRICHED = """
    SELECT crimes.*, hour(date) AS hour, isodow(date) AS day_of_week,
        date::TIME IN ('00:00:00', '00:01:00') AS is_time_placeholder,
        date::DATE > newest - 28 AND newest_update < newest + 28 AS is_provisional,
        COALESCE(ucr_part1_class, 'non_index') AS offense_class,
        CASE primary_type WHEN 'CRIM SEXUAL ASSAULT' THEN 'CRIMINAL SEXUAL ASSAULT'
            WHEN 'NON - CRIMINAL' THEN 'NON-CRIMINAL' WHEN 'NON-CRIMINAL (SUBJECT SPECIFIED)' THEN 'NON-CRIMINAL'
            WHEN 'OTHER NARCOTIC VIOLATION' THEN 'NARCOTICS' ELSE primary_type END AS primary_type_comparable,
        fbi_codes.name AS fbi_name, areas.name AS community_area_name, areas.side,
        floor(x_coordinate / 660)::BIGINT AS cell_x, floor(y_coordinate / 660)::BIGINT AS cell_y
    FROM crimes LEFT JOIN fbi_codes USING (fbi_code) LEFT JOIN areas USING (community_area)
        CROSS JOIN (SELECT MAX(date)::DATE AS newest, MAX(updated_on)::DATE AS newest_update FROM crimes)
    ORDER BY month, primary_type, date, id
"""
TALLY = "COUNT(*) AS crimes, COUNT(*) FILTER (arrest) AS arrests, COUNT(*) FILTER (domestic) AS domestic_crimes"
FILTERABLE = "offense_class, primary_type, primary_type_comparable, community_area, district, arrest, domestic"
SUMMARIES = {
    "crime_type_count": f"""
        SELECT year, primary_type, {TALLY}, arrests / crimes AS arrest_rate FROM enriched_crimes GROUP BY ALL""",
    "crimes_daily": f"""
        SELECT year, date::DATE AS day, {TALLY}, COUNT(*) FILTER (offense_class = 'violent') AS violent_crimes,
            COUNT(*) FILTER (offense_class = 'property') AS property_crimes,
            COUNT(*) FILTER (offense_class = 'non_index') AS non_index_crimes, BOOL_OR(is_provisional) AS is_provisional
        FROM enriched_crimes GROUP BY ALL""",
    "crimes_monthly": f"""
        SELECT year, month, {FILTERABLE}, COUNT(*) AS crimes
        FROM enriched_crimes GROUP BY ALL""",
    "crimes_hourly": f"""
        SELECT year, {FILTERABLE}, day_of_week, hour,
            COUNT(*) FILTER (NOT is_time_placeholder) AS crimes,
            COUNT(*) FILTER (is_time_placeholder) AS time_placeholders
        FROM enriched_crimes GROUP BY ALL""",
    "crimes_by_cell": f"""
        SELECT year, {FILTERABLE}, cell_x, cell_y, COUNT(*) AS crimes FROM enriched_crimes GROUP BY ALL""",
    "area_rates": """
        WITH c AS (SELECT community_area, offense_class, COUNT(*) AS n, COUNT(*) FILTER (arrest) AS a
            FROM enriched_crimes GROUP BY ALL),
        k AS (SELECT UNNEST(['all', 'violent', 'property', 'non_index']) AS offense_class)
        SELECT $year AS year, areas.community_area, areas.name, areas.side, k.offense_class,
            COALESCE(SUM(c.n), 0) AS crimes, COALESCE(SUM(c.a), 0) AS arrests,
            ANY_VALUE(census.p[1] + (census.p[2] - census.p[1]) * (LEAST(GREATEST($year, 2010), 2020) - 2010) / 10)
                AS population,
            crimes * 1000 / population AS rate_per_1000
        FROM areas JOIN (SELECT community_area, LIST(population ORDER BY year) AS p FROM residents GROUP BY ALL)
            AS census USING (community_area) CROSS JOIN k LEFT JOIN c ON c.community_area = areas.community_area
            AND k.offense_class IN ('all', c.offense_class)
        GROUP BY ALL""",
    "hot_spots": """
        WITH cells AS (SELECT cell_x, cell_y, COUNT(*) AS "all", COUNT(*) FILTER (offense_class = 'violent') AS violent,
                COUNT(*) FILTER (offense_class = 'property') AS property,
                COUNT(*) FILTER (offense_class = 'non_index') AS non_index,
                (MIN(latitude) + MAX(latitude)) / 2 AS latitude, (MIN(longitude) + MAX(longitude)) / 2 AS longitude
            FROM enriched_crimes WHERE cell_x IS NOT NULL AND cell_y IS NOT NULL GROUP BY ALL),
        counts AS (UNPIVOT cells ON "all", violent, property, non_index INTO NAME offense_class VALUE crimes),
        near AS (SELECT offense_class, cell_x + dx AS cell_x, cell_y + dy AS cell_y, SUM(crimes) AS s, COUNT(*) AS w
            FROM counts CROSS JOIN (SELECT UNNEST([-1, 0, 1]) AS dx) CROSS JOIN (SELECT UNNEST([-1, 0, 1]) AS dy)
            GROUP BY ALL),
        city AS (SELECT offense_class, COUNT(*) AS n, AVG(crimes) AS mean, STDDEV_POP(crimes) AS deviation
            FROM counts GROUP BY ALL)
        SELECT $year AS year, offense_class, cell_x, cell_y, crimes, s AS neighborhood_crimes,
            (s - mean * w) / (deviation * SQRT((n * w - w * w) / (n - 1))) AS gi_star, latitude, longitude
        FROM counts JOIN near USING (offense_class, cell_x, cell_y) JOIN city USING (offense_class)""",
}


def main(csv_folder: str, output: str) -> None:
    """Load every year."""
    connection = duckdb.connect(config={"threads": 2, "memory_limit": "800MB"})
    for name, table in (("areas", "community_areas"), ("residents", "residents"), ("fbi_codes", "fbi_codes")):
        connection.execute(f"CREATE TABLE {name} AS FROM read_csv('{reference.file(table)}')")
    for file in sorted(Path(csv_folder).glob("*.csv")):
        year = file.stem[-4:]

        def write(table: str, query: str, year: str = year) -> str:
            target = Path(output) / table / f"{year}.parquet"
            target.parent.mkdir(parents=True, exist_ok=True)
            query = query.replace("$year", year)
            connection.execute(f"COPY ({query}) TO '{target}' (COMPRESSION zstd, ROW_GROUP_SIZE 30720)")
            connection.execute(f"CREATE OR REPLACE VIEW {table} AS FROM '{target}'")
            return str(target)

        copy = Path(output) / "objects" / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
        write("raw_crimes", f"FROM read_csv('{copy}', header = true, auto_detect = false, columns = {{{COLUMNS}}})")
        write("crimes", TYPED)
        write("enriched_crimes", ENRICHED)
        for table, query in SUMMARIES.items():
            write(table, query)


if __name__ == "__main__":
    main(*sys.argv[1:3])
