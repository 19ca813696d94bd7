"""Which upstream columns each column is made of.

A column that goes by one name all the way needs no word here. What is listed is what changes its name or is made of
others. A test compares this page with the SQL files and the Spark job.
"""

from chicago_crime.tables import (
    AREA_RATES,
    CRIME_TYPE_COUNT,
    CRIMES,
    CRIMES_BY_CELL,
    CRIMES_DAILY,
    CRIMES_HOURLY,
    CRIMES_MONTHLY,
    ENRICHED_CRIMES,
    HOT_SPOTS,
    RAW_CRIMES,
    REJECTED_CRIMES,
    REVISIONS,
    Table,
)

UPSTREAM: dict[str, Table] = {
    CRIMES.name: RAW_CRIMES,
    REJECTED_CRIMES.name: RAW_CRIMES,
    REVISIONS.name: RAW_CRIMES,
    ENRICHED_CRIMES.name: CRIMES,
    **{
        table.name: ENRICHED_CRIMES
        for table in (
            CRIME_TYPE_COUNT,
            CRIMES_DAILY,
            HOT_SPOTS,
            CRIMES_MONTHLY,
            CRIMES_HOURLY,
            CRIMES_BY_CELL,
            AREA_RATES,
        )
    },
}
"""The table that each table is computed from. `revisions` reads the former `crimes`, too, before that is replaced."""

_PLACE = ("x_coordinate", "y_coordinate", "latitude", "longitude")
_CELLS = ("cell_x", "cell_y", "offense_class")

_COMPARED = tuple(
    c.name for c in CRIMES.columns if c.name not in ("year", "month", "updated_on", "latitude", "longitude")
)

_MADE_OF: dict[str, dict[str, tuple[str, ...]]] = {
    # A place is NULL if any of its four columns says "no location".
    CRIMES.name: {"year": ("date",), "month": ("date",), **dict.fromkeys(_PLACE, _PLACE)},
    REJECTED_CRIMES.name: {"file_year": (), "reason": ("id", "date", "updated_on")},
    REVISIONS.name: {
        "year": ("date",),
        "snapshot": ("updated_on", "date"),
        "previous_snapshot": (),
        "kind": _COMPARED,
        "old_value": (),
        "new_value": _COMPARED,
    },
    ENRICHED_CRIMES.name: {
        "hour": ("date",),
        "day_of_week": ("date",),
        "is_time_placeholder": ("date",),
        "is_provisional": ("date", "updated_on"),
        "offense_class": ("fbi_code",),
        "primary_type_comparable": ("primary_type",),
        "fbi_name": ("fbi_code",),
        "community_area_name": ("community_area",),
        "side": ("community_area",),
        "cell_x": ("x_coordinate",),
        "cell_y": ("y_coordinate",),
    },
    CRIME_TYPE_COUNT.name: {
        "crimes": ("id",),
        "arrests": ("arrest",),
        "arrest_rate": ("arrest",),
        "domestic_crimes": ("domestic",),
    },
    CRIMES_DAILY.name: {
        "day": ("date",),
        "crimes": ("id",),
        "violent_crimes": ("offense_class",),
        "property_crimes": ("offense_class",),
        "non_index_crimes": ("offense_class",),
        "arrests": ("arrest",),
        "domestic_crimes": ("domestic",),
    },
    HOT_SPOTS.name: {"crimes": _CELLS, "neighborhood_crimes": _CELLS, "gi_star": _CELLS},
    CRIMES_MONTHLY.name: {"crimes": ("id",)},
    CRIMES_HOURLY.name: {
        "crimes": ("id", "is_time_placeholder"),
        "time_placeholders": ("id", "is_time_placeholder"),
    },
    CRIMES_BY_CELL.name: {"crimes": ("id",)},
    AREA_RATES.name: {
        "crimes": ("id",),
        "arrests": ("arrest",),
        "population": ("year", "community_area"),
        "is_small_population": ("year", "community_area"),
        "rate_per_1000": ("id", "year", "community_area"),
        "days_covered": ("date",),
    },
}


def upstream_columns(table: Table) -> dict[str, list[tuple[str, str]]]:
    """For each column of a table, the (asset, column) pairs that it is made of."""
    upstream = UPSTREAM.get(table.name)
    if upstream is None:
        return {}
    made_of = _MADE_OF.get(table.name, {})
    return {
        column.name: [(upstream.name, name) for name in made_of.get(column.name, (column.name,))]
        for column in table.columns
    }
