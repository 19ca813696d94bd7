"""The marts: small tables of counts, aggregated from `enriched_crimes`.

To add a mart, define a `Table` here and write `sql/tables/NAME.sql`. The graph, checks and docs pick it up.
"""

from dataclasses import replace

from chicago_crime.tables.columns import (
    ARREST_RATE,
    ARRESTS,
    CELL_X,
    CELL_Y,
    CLASS_OR_ALL,
    COMMUNITY_AREA_NAME,
    COMPARABLE,
    CRIMES_COUNT,
    DAY_OF_WEEK,
    DIMENSION_NAMES,
    DIMENSIONS,
    DOMESTIC_CRIMES,
    HOUR,
    IS_PROVISIONAL,
    LATITUDE,
    LONGITUDE,
    MONTH,
    OFFENSE_CLASS,
    SIDE,
    TYPED,
    YEAR,
    Column,
    count,
)
from chicago_crime.tables.layers import ENRICHED_CRIMES
from chicago_crime.tables.table import AddsUp, Table

CRIME_TYPE_COUNT = Table(
    "crime_type_count",
    "Crimes, arrests and arrest rate by crime type, as labeled by the source.",
    "year and crime type",
    (YEAR, TYPED["primary_type"], CRIMES_COUNT, ARRESTS, ARREST_RATE, DOMESTIC_CRIMES),
    key=("year", "primary_type"),
    order=("crimes", "primary_type"),
    made_by="spark",
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp(),
)
CRIMES_DAILY = Table(
    "crimes_daily",
    "Crimes by day, in total and by offense class, with arrests and domestic-related crimes.",
    "day",
    (
        YEAR,
        Column("day", "DATE", "Calendar day in Chicago.", nullable=False),
        CRIMES_COUNT,
        count("violent_crimes", "Number of crimes with offense class violent."),
        count("property_crimes", "Number of crimes with offense class property."),
        count("non_index_crimes", "Number of crimes with offense class non_index."),
        ARRESTS,
        DOMESTIC_CRIMES,
        IS_PROVISIONAL,
    ),
    key=("day",),
    order=("day",),
    made_by="spark",
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp(),
)
HOT_SPOTS = Table(
    "hot_spots",
    "Spatial clusters of crime: counts and Getis-Ord Gi* for each 660-foot grid cell.",
    "year, offense class (or all) and grid cell with any crime in the year",
    (
        YEAR,
        CLASS_OR_ALL,
        replace(CELL_X, nullable=False),
        replace(CELL_Y, nullable=False),
        CRIMES_COUNT,
        count("neighborhood_crimes", "Number of crimes of the class in the cell and its eight neighbors."),
        Column(
            "gi_star",
            "FLOAT64",
            "Getis-Ord Gi* z-score of the cell and its neighbors. Use it to rank cells, not as a significance test: "
            "counts per cell are far from normally distributed. NULL if all cells have the same count.",
        ),
        Column("latitude", "FLOAT64", "Midpoint of the cell's crimes, in degrees north.", between=LATITUDE),
        Column("longitude", "FLOAT64", "Midpoint of the cell's crimes, in degrees east.", between=LONGITUDE),
    ),
    key=("year", "offense_class", "cell_x", "cell_y"),
    order=("offense_class", "cell_x", "cell_y"),
    made_by="spark",
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp("SUM(IF(offense_class = 'all', crimes, 0))", "COUNTIF(cell_x IS NOT NULL AND cell_y IS NOT NULL)"),
)
CRIMES_MONTHLY = Table(
    "crimes_monthly",
    "Crimes by month, type, community area, district and flags.",
    "month, offense class, crime type (both labels), community area, district, arrest flag and domestic flag",
    (YEAR, MONTH, *DIMENSIONS, CRIMES_COUNT),
    key=("month", *DIMENSION_NAMES),
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp(),
)
CRIMES_HOURLY = Table(
    "crimes_hourly",
    "Crimes by hour, day of the week, type, community area, district and flags. Unknown times are counted separately.",
    "year, day of the week, hour, offense class, crime type (both labels), community area, district, arrest flag and "
    "domestic flag",
    (
        YEAR,
        *DIMENSIONS,
        DAY_OF_WEEK,
        HOUR,
        replace(CRIMES_COUNT, description="Number of crimes with a known time."),
        count(
            "time_placeholders", "Number of crimes with an unknown time, recorded in hour 0; not included in `crimes`."
        ),
    ),
    key=("year", *DIMENSION_NAMES, "day_of_week", "hour"),
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp("SUM(crimes) + SUM(time_placeholders)"),
)
CRIMES_BY_CELL = Table(
    "crimes_by_cell",
    "Crimes by 660-foot grid cell, type, community area, district and flags. Crimes without X and Y have no cell.",
    "year, cell, offense class, crime type (both labels), community area, district, arrest flag and domestic flag",
    (YEAR, *DIMENSIONS, CELL_X, CELL_Y, CRIMES_COUNT),
    key=("year", *DIMENSION_NAMES, "cell_x", "cell_y"),
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp(),
)
AREA_RATES = Table(
    "area_rates",
    "Annual crimes per 1,000 residents by community area. Crimes without a community area are excluded.",
    "year, community area and offense class (or all)",
    (
        YEAR,
        replace(TYPED["community_area"], description="Community area number.", nullable=False),
        replace(COMMUNITY_AREA_NAME, nullable=False),
        replace(SIDE, nullable=False),
        CLASS_OR_ALL,
        CRIMES_COUNT,
        ARRESTS,
        Column(
            "population",
            "FLOAT64",
            "Residents, interpolated linearly between the 2010 and 2020 censuses and any later estimates that the "
            "installation provides. Before the first and after the last of these, held constant.",
            nullable=False,
        ),
        Column(
            "population_known_to",
            "INT64",
            "Newest year with a census or estimate. Later years use its population.",
            nullable=False,
        ),
        Column(
            "is_small_population",
            "BOOL",
            "Whether the area has fewer than 10,000 residents; one crime then changes rate_per_1000 by more than 0.1.",
            nullable=False,
        ),
        Column(
            "rate_per_1000",
            "FLOAT64",
            "Crimes per 1,000 residents, scaled from the days covered to a full year. NULL if more than 1% of the "
            "year's crimes have no community area, because too few are then counted.",
        ),
        count(
            "days_covered",
            "Days up to `covered_to`, except gaps in the file; 365 or 366 for a full year.",
        ),
        Column(
            "covered_to",
            "DATE",
            "Day of the newest crime; December 31 if two records were updated on January 8 of the next year or later, "
            "and chance explains the days without crimes at the end.",
        ),
    ),
    key=("year", "community_area", "offense_class"),
    order=("community_area", "offense_class"),
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp("SUM(IF(offense_class = 'all', crimes, 0))", "COUNTIF(community_area BETWEEN 1 AND 77)"),
)
CODE_COVERAGE = Table(
    "code_coverage",
    "Crimes by month and IUCR code, to tell real trends from codes that the City added, dropped or redefined.",
    "month, IUCR code, offense class and crime type (both labels)",
    (
        YEAR,
        MONTH,
        TYPED["iucr"],
        OFFENSE_CLASS,
        TYPED["primary_type"],
        COMPARABLE,
        CRIMES_COUNT,
        count("without_place", "Number of crimes without coordinates, neither X and Y nor latitude and longitude."),
        count("without_area", "Number of crimes without a community area."),
    ),
    key=("month", "iucr", "offense_class", "primary_type", "primary_type_comparable"),
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp(),
)
