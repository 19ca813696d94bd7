"""Measure on real years what the sample source draws from.

    python -m benchmarks.measure_sample_profile DATA_DIR ROWS_PER_YEAR_CSV

DATA_DIR holds whole real years, loaded by the platform; ROWS_PER_YEAR_CSV has the columns year and rows. Writes
`profile.json` and `places.csv` in `chicago_crime/sources/sample/`: shares and counts only, never a single crime.
"""

import csv
import json
import sys
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from chicago_crime.sources.sample.profile import CENTER_FT, PLACES_FILE, PROFILE_FILE, SCALE_FT, polynomial_terms

LEAST_CRIMES = 10
"""Kinds of crime and cells with fewer crimes in all years are left out, because they could identify persons."""

KINDS = f"""
    SELECT iucr, primary_type, description, fbi_code, COALESCE(ANY_VALUE(ucr_part1_class), 'non_index') AS class,
        COUNT(*) AS crimes, ROUND(AVG(arrest::INT), 4) AS arrest, ROUND(AVG(domestic::INT), 4) AS domestic
    FROM crimes JOIN fbi_codes USING (fbi_code)
    GROUP BY iucr, primary_type, description, fbi_code HAVING COUNT(*) >= {LEAST_CRIMES}
    ORDER BY crimes DESC, iucr, fbi_code, description
"""
LOCATIONS = """
    SELECT primary_type, location_description, COUNT(*) AS n FROM crimes WHERE location_description IS NOT NULL
    GROUP BY primary_type, location_description
    QUALIFY ROW_NUMBER() OVER (PARTITION BY primary_type ORDER BY n DESC, location_description) <= 15
    ORDER BY primary_type, n DESC, location_description
"""
PLACES = f"""
    WITH counted AS (
        SELECT FLOOR(x_coordinate / 660)::INT AS cell_x, FLOOR(y_coordinate / 660)::INT AS cell_y, beat, ward,
            community_area, MIN(x_coordinate)::INT AS x_min, MAX(x_coordinate)::INT AS x_max,
            MIN(y_coordinate)::INT AS y_min, MAX(y_coordinate)::INT AS y_max,
            COUNT(*) FILTER (ucr_part1_class = 'violent') AS violent,
            COUNT(*) FILTER (ucr_part1_class = 'property') AS property,
            COUNT(*) FILTER (ucr_part1_class IS NULL) AS non_index, COUNT(*) AS n
        FROM crimes JOIN fbi_codes USING (fbi_code)
        WHERE x_coordinate IS NOT NULL AND ward IS NOT NULL AND community_area IS NOT NULL AND district = beat // 100
        GROUP BY ALL HAVING COUNT(*) >= {LEAST_CRIMES}
    )
    SELECT * EXCLUDE n FROM counted
    QUALIFY ROW_NUMBER() OVER (PARTITION BY cell_x, cell_y ORDER BY n DESC, beat, ward, community_area) = 1
    ORDER BY cell_x, cell_y
"""


def main(data_dir: str, rows_per_year: str) -> None:
    """Measure and write both files."""
    with duckdb.connect(f"{data_dir}/warehouse/warehouse.duckdb", read_only=True) as real:
        places = real.sql(PLACES)
        with PLACES_FILE.open("w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(places.columns)
            writer.writerows(places.fetchall())
        profile = measure(real)
    with Path(rows_per_year).open(newline="") as file:
        profile["rows"] = {row["year"]: int(row["rows"]) for row in csv.DictReader(file)}
    lines = (f" {json.dumps(name)}: {json.dumps(value)}" for name, value in profile.items())
    PROFILE_FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def measure(real: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """All of the profile but the rows per year."""

    def by(key: str, value: str = "COUNT(*)", where: str = "TRUE") -> dict[int, float]:
        return dict(real.sql(f"SELECT {key}, {value} FROM crimes WHERE {where} GROUP BY 1 ORDER BY 1").fetchall())

    def one(expression: str, where: str = "TRUE") -> float:
        [(value,)] = real.sql(f"SELECT {expression} FROM crimes WHERE {where}").fetchall()
        return value

    per_day = "COUNT(*) / COUNT(DISTINCT date::DATE)"
    usual_days = "DAY(date) > 1"
    hours: dict[str, list[int]] = {}
    for name, hour, n in real.sql("SELECT primary_type, HOUR(date), COUNT(*) FROM crimes GROUP BY ALL").fetchall():
        hours.setdefault(name, [0] * 24)[hour] = n
    locations: dict[str, dict[str, int]] = {}
    for name, location, n in real.sql(LOCATIONS).fetchall():
        locations.setdefault(name, {})[location] = n
    midnight = by("MINUTE(date)", where="HOUR(date) = 0")
    other = by("MINUTE(date)", where="HOUR(date) > 0")
    usual = one(per_day, usual_days)
    firsts = by("MONTH(date) = 1", per_day, "DAY(date) = 1")
    return {
        "measured_on": list(by("year")),
        "kinds": [list(row) for row in real.sql(KINDS).fetchall()],
        "hours": dict(sorted(hours.items())),
        "minutes_after_midnight": [midnight.get(minute, 0) for minute in range(60)],
        "minutes": [other.get(minute, 0) for minute in range(60)],
        "locations": locations,
        "months": [round(n, 1) for n in by("MONTH(date)", per_day, usual_days).values()],
        "weekdays": [round(n / usual, 4) for n in by("ISODOW(date)", per_day, usual_days).values()],
        "first_of_month": round(firsts[False] / usual, 4),
        "first_of_year": round(firsts[True] / usual, 4),
        "without_coordinates": round(one("AVG((x_coordinate IS NULL)::INT)"), 4),
        "without_location_description": round(one("AVG((location_description IS NULL)::INT)"), 4),
        "homicides_with_shared_case": round(one("1 - COUNT(DISTINCT case_number) / COUNT(*)", "fbi_code = '01A'"), 4),
        **degrees(real),
    }


def degrees(real: duckdb.DuckDBPyConnection) -> dict[str, list[float]]:
    """Coefficients that give latitude and longitude from X and Y; see `polynomial_terms`."""
    columns = "x_coordinate, y_coordinate, latitude, longitude"
    rows = real.sql(f"SELECT DISTINCT {columns} FROM crimes WHERE x_coordinate IS NOT NULL ORDER BY ALL").fetchall()
    x, y, *found_degrees = np.array(rows).T
    terms = polynomial_terms((x - CENTER_FT[0]) / SCALE_FT, (y - CENTER_FT[1]) / SCALE_FT)
    found = {}
    for name, values in zip(("latitude", "longitude"), found_degrees, strict=True):
        coefficients, *_ = np.linalg.lstsq(terms, values, rcond=None)
        error = np.abs(terms @ coefficients - values)
        print(f"{name}: median error {np.median(error):.1e}, largest {error.max():.1e} degrees")
        found[name] = coefficients.tolist()
    return found


if __name__ == "__main__":
    main(*sys.argv[1:3])
