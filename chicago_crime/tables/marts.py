"""The marts: small tables of counts, made of enriched_crimes, for dashboards to read.

A new mart is a `Table` here and its statement `sql/tables/NAME.sql`. The graph, the checks and the docs find it.
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
    DOMESTIC_CRIMES,
    FILTERABLE,
    FILTERED_BY,
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
    "Counts by crime type, under the label that the source uses.",
    "year and primary_type",
    (YEAR, TYPED["primary_type"], CRIMES_COUNT, ARRESTS, ARREST_RATE, DOMESTIC_CRIMES),
    key=("year", "primary_type"),
    order=("crimes", "primary_type"),
    made_by="spark",
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp(),
)
CRIMES_DAILY = Table(
    "crimes_daily",
    "Counts by day.",
    "day",
    (
        YEAR,
        Column("day", "DATE", "The day, Chicago local time.", nullable=False),
        CRIMES_COUNT,
        count("violent_crimes", "Crimes of class violent."),
        count("property_crimes", "Crimes of class property."),
        count("non_index_crimes", "Crimes of class non_index."),
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
    "Where crime clusters: counts and Getis-Ord Gi* by 660 ft cell.",
    "year, offense class (or all) and grid cell that had any crime in the year",
    (
        YEAR,
        CLASS_OR_ALL,
        replace(CELL_X, nullable=False),
        replace(CELL_Y, nullable=False),
        CRIMES_COUNT,
        count("neighborhood_crimes", "Crimes of the class in the cell and its up to eight neighbors."),
        Column(
            "gi_star",
            "FLOAT64",
            "Getis-Ord Gi* z-score over the cell and its neighbors. It ranks cells and tests nothing: counts by "
            "cell are far from a normal distribution. NULL if every cell has the same count.",
        ),
        Column("latitude", "FLOAT64", "Middle of the cell's crimes, degrees north.", between=LATITUDE),
        Column("longitude", "FLOAT64", "Middle of the cell's crimes, degrees east.", between=LONGITUDE),
    ),
    key=("year", "offense_class", "cell_x", "cell_y"),
    order=("offense_class", "cell_x", "cell_y"),
    made_by="spark",
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp("SUM(IF(offense_class = 'all', crimes, 0))", "COUNTIF(cell_x IS NOT NULL AND cell_y IS NOT NULL)"),
)
CRIMES_MONTHLY = Table(
    "crimes_monthly",
    "Counts by month and by everything that people filter by.",
    "month, offense class, type by both labels, community area, district, arrest flag and domestic flag",
    (YEAR, MONTH, *FILTERABLE, CRIMES_COUNT),
    key=("month", *FILTERED_BY),
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp(),
)
CRIMES_HOURLY = Table(
    "crimes_hourly",
    "Counts by hour and weekday, without the times that stand for an unknown time.",
    "year, weekday, hour, offense class, type by both labels, community area, district, arrest flag and domestic flag",
    (
        YEAR,
        *FILTERABLE,
        DAY_OF_WEEK,
        HOUR,
        replace(CRIMES_COUNT, description="Number of crimes whose time is known."),
        count("time_placeholders", "Crimes left out of `crimes`: their time is a placeholder (they show as hour 0)."),
    ),
    key=("year", *FILTERED_BY, "day_of_week", "hour"),
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp("SUM(crimes) + SUM(time_placeholders)"),
)
CRIMES_BY_CELL = Table(
    "crimes_by_cell",
    "Counts by 660 ft cell, to draw maps from. Crimes without a place have no cell.",
    "year, cell, offense class, type by both labels, community area, district, arrest flag and domestic flag",
    (YEAR, *FILTERABLE, CELL_X, CELL_Y, CRIMES_COUNT),
    key=("year", *FILTERED_BY, "cell_x", "cell_y"),
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp(),
)
AREA_RATES = Table(
    "area_rates",
    "Crimes per 1,000 residents a year by community area. Crimes without a community area are in none.",
    "year, community area and offense class (or all)",
    (
        YEAR,
        replace(TYPED["community_area"], nullable=False),
        replace(COMMUNITY_AREA_NAME, nullable=False),
        replace(SIDE, nullable=False),
        CLASS_OR_ALL,
        CRIMES_COUNT,
        ARRESTS,
        Column(
            "population",
            "FLOAT64",
            "Residents: on a straight line between the censuses of 2010 and 2020 and the estimates of later years that "
            "the installation has, held flat outside.",
            nullable=False,
            between=(1, float("inf")),
        ),
        Column(
            "population_known_to",
            "INT64",
            "The newest year of which residents are known, by census or estimate: later years have as many.",
            nullable=False,
        ),
        Column(
            "is_small_population",
            "BOOL",
            "Fewer than 10,000 residents: a single crime moves rate_per_1000 by more than 0.1.",
            nullable=False,
        ),
        Column(
            "rate_per_1000",
            "FLOAT64",
            "crimes per 1,000 residents a year: those of the days covered, for 365 or 366 days.",
            nullable=False,
        ),
        count("days_covered", "Days from 1 January to the newest date of the year: a whole year has 365 or 366."),
    ),
    key=("year", "community_area", "offense_class"),
    order=("community_area", "offense_class"),
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp("SUM(IF(offense_class = 'all', crimes, 0))", "COUNTIF(community_area BETWEEN 1 AND 77)"),
)
CODE_COVERAGE = Table(
    "code_coverage",
    "Which codes were in use when: the City adds, drops and moves codes, and a trend may follow that.",
    "month, IUCR code, offense class and type by both labels",
    (
        YEAR,
        MONTH,
        TYPED["iucr"],
        OFFENSE_CLASS,
        TYPED["primary_type"],
        COMPARABLE,
        CRIMES_COUNT,
        count("without_place", "Crimes without coordinates: no map shows them."),
        count("without_area", "Crimes without a community area."),
    ),
    key=("month", "iucr", "offense_class", "primary_type", "primary_type_comparable"),
    upstream=(ENRICHED_CRIMES,),
    adds_up=AddsUp(),
)
