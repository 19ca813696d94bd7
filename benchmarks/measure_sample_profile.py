"""Measures the distributions of real years from which the sample source draws.

    python -m benchmarks.measure_sample_profile DATA_DIR ROWS_PER_YEAR_CSV

DATA_DIR is an installation with complete real years; ROWS_PER_YEAR_CSV has the columns year and rows. It writes
`profile.json` and `places.parquet` in `chicago_crime/sources/sample/`: only shares and counts, never individual crimes.
Blocks are invented within real cells, on the streets of `streets.csv`, with 800 house numbers per mile counted from
State and Madison.
"""

import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from chicago_crime.sources.sample.profile import BLOCKS_PER_CELL, PLACES_FILE, PROFILE_FILE
from chicago_crime.tables.columns import OFFENSE_CLASSES

CENTER_FT = (1_150_000.0, 1_880_000.0)
SCALE_FT = 50_000.0

ORIGIN_FT = (1_176_350, 1_900_420)
"""State and Madison streets, the origin of Chicago's house numbers; NAD83 Illinois East."""

FEET_PER_NUMBER = 6.6  # 800 numbers a mile

MIN_CRIMES = 10
"""Kinds of crime and cells with fewer crimes in all years are omitted, because they could identify people."""

KINDS = f"""
    SELECT iucr, primary_type, description, fbi_code, COALESCE(ANY_VALUE(ucr_part1_class), 'non_index') AS class,
        COUNT(*) AS crimes, ROUND(AVG(arrest::INT), 4) AS arrest, ROUND(AVG(domestic::INT), 4) AS domestic
    FROM crimes JOIN fbi_codes USING (fbi_code)
    GROUP BY iucr, primary_type, description, fbi_code HAVING COUNT(*) >= {MIN_CRIMES}
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
        GROUP BY ALL HAVING COUNT(*) >= {MIN_CRIMES}
    )
    SELECT * EXCLUDE n FROM counted
    QUALIFY ROW_NUMBER() OVER (PARTITION BY cell_x, cell_y ORDER BY n DESC, beat, ward, community_area) = 1
    ORDER BY cell_x, cell_y
"""


def main(data_dir: str, rows_per_year: str) -> None:
    """Measure and write both files."""
    with duckdb.connect(f"{data_dir}/warehouse/warehouse.duckdb", read_only=True) as real:
        profile = measure(real)
        coefficients = degrees(real)
        places = invented_places(real.sql(PLACES).fetchnumpy(), coefficients)
    pq.write_table(places, PLACES_FILE, compression="zstd", compression_level=19)
    with Path(rows_per_year).open(newline="") as file:
        profile["rows"] = {row["year"]: int(row["rows"]) for row in csv.DictReader(file)}
    lines = (f" {json.dumps(name)}: {json.dumps(value)}" for name, value in profile.items())
    PROFILE_FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def measure(real: duckdb.DuckDBPyConnection) -> dict[str, Any]:
    """Measure the profile, except for the rows per year."""

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
    }


def degrees(real: duckdb.DuckDBPyConnection) -> dict[str, list[float]]:
    """Fit coefficients that convert X and Y to latitude and longitude; see `polynomial_terms`."""
    columns = "x_coordinate, y_coordinate, latitude, longitude"
    rows = real.sql(f"SELECT DISTINCT {columns} FROM crimes WHERE x_coordinate IS NOT NULL ORDER BY ALL").fetchall()
    x, y, *found_degrees = np.array(rows).T
    terms = polynomial_terms(x, y)
    found = {}
    for name, values in zip(("latitude", "longitude"), found_degrees, strict=True):
        coefficients, *_ = np.linalg.lstsq(terms, values, rcond=None)
        error = np.abs(terms @ coefficients - values)
        print(f"{name}: median error {np.median(error):.1e}, largest {error.max():.1e} degrees")
        found[name] = coefficients.tolist()
    return found


def polynomial_terms(x_ft: np.ndarray, y_ft: np.ndarray) -> np.ndarray:
    """Return all products of powers of the coordinates up to degree 4: an array of places x terms."""
    u, v = (x_ft - CENTER_FT[0]) / SCALE_FT, (y_ft - CENTER_FT[1]) / SCALE_FT
    return np.stack([u**i * v**j for i in range(5) for j in range(5 - i)], axis=-1)


def invented_places(cells: Mapping[str, np.ndarray], coefficients: Mapping[str, list[float]]) -> pa.Table:
    """Invent blocks in cells, as the texts that the sample writes; each has the counts of its cell."""
    rng = np.random.default_rng(2001)
    cell = {name: np.repeat(values, BLOCKS_PER_CELL) for name, values in cells.items()}
    x = rng.integers(cell["x_min"], cell["x_max"] + 1)
    y = rng.integers(cell["y_min"], cell["y_max"] + 1)
    terms = polynomial_terms(x, y)
    places = zip(*(np.round(terms @ np.array(coefficients[name]), 9).tolist() for name in coefficients), strict=True)
    areas = zip(cell["beat"], cell["ward"], cell["community_area"], strict=True)
    streets = streets_by_number()
    corners = enumerate(zip(x.tolist(), y.tolist(), strict=True))
    columns = {
        "block": [address(a, b, bool(n % 2), streets) for n, (a, b) in corners],
        "areas": [f"{beat:04},{beat // 100:03},{ward},{area}" for beat, ward, area in areas],
        "x_y": [f"{a},{b}" for a, b in zip(x, y, strict=True)],
        "degrees": [f'{latitude},{longitude},"({latitude}, {longitude})"' for latitude, longitude in places],
    }
    return pa.table({**columns, **{name: cell[name] for name in OFFENSE_CLASSES}})


def streets_by_number() -> dict[str, dict[int, str]]:
    """Streets by direction and by the house number they run along, which is negative in the west and the south."""
    found: dict[str, dict[int, str]] = {"north_south": {}, "east_west": {}}
    with Path(__file__).with_name("streets.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            found[row["direction"]][int(row["number"])] = row["street"]
    return found


def address(x_ft: int, y_ft: int, along_x: bool, streets: Mapping[str, Mapping[int, str]]) -> str:
    """Return the block of a place, such as `019XX W DEVON AVE`.

    Args:
        x_ft: NAD83 Illinois East, feet.
        y_ft: NAD83 Illinois East, feet.
        along_x: True for a street that runs east and west.
        streets: the result of `streets_by_number`.
    """

    def nearest(direction: str, number: float) -> str:
        return streets[direction][min(streets[direction], key=lambda at: abs(at - number))]

    east = (x_ft - ORIGIN_FT[0]) / FEET_PER_NUMBER
    north = (y_ft - ORIGIN_FT[1]) / FEET_PER_NUMBER
    if along_x:
        number, side, street = abs(east), "E" if east > 0 else "W", nearest("east_west", north)
    else:
        number, side, street = abs(north), "N" if north > 0 else "S", nearest("north_south", east)
    return f"{int(number // 100):03}XX {side} {street}"


if __name__ == "__main__":
    main(*sys.argv[1:3])
