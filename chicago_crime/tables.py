"""The tables: what each holds, its grain, its columns and its order.

Here belongs what is true of a table wherever it is stored. How its rows are computed is in `sql/` (one file per table)
and `spark_jobs/`; where it is stored, in `resources/`.
"""

from dataclasses import dataclass, replace

from chicago_crime.schema import LATITUDE, LONGITUDE, SOURCE_COLUMNS, Column


@dataclass(frozen=True)
class Table:
    """One table, partitioned by year.

    Attributes:
        name: table name and asset key.
        description: what it holds.
        grain: what one row is.
        columns: in the table's order.
        key: columns that together identify a row; empty if rows may repeat.
        order: columns that rows are sorted by, so that readers skip what they do not need.
        year_column: the INT64 column that says which year a row belongs to; None if only its file says so.
    """

    name: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    year_column: str | None = "year"

    def column(self, name: str) -> Column:
        """The column of that name."""
        return next(column for column in self.columns if column.name == name)


def _count(name: str, description: str) -> Column:
    return Column(name, "INT64", description, nullable=False, between=(0, float("inf")))


RAW_COLUMNS = tuple(replace(c, type="STRING", nullable=True, between=None) for c in SOURCE_COLUMNS)
_TYPED = {c.name: c for c in SOURCE_COLUMNS}
YEAR = _TYPED["year"]
MONTH = Column("month", "DATE", "First day of the month of `date`.", nullable=False)
OFFENSE_CLASS = Column("offense_class", "STRING", "violent, property or non_index, by FBI code.", nullable=False)
CLASS_OR_ALL = replace(OFFENSE_CLASS, description="violent, property, non_index, or all of them.")
COMPARABLE = Column("primary_type_comparable", "STRING", "Crime type under one label for all years.")
DAY_OF_WEEK = Column("day_of_week", "INT64", "ISO: 1 Monday to 7 Sunday.", nullable=False, between=(1, 7))
HOUR = Column("hour", "INT64", "Hour of the day, 0 to 23.", nullable=False, between=(0, 23))
CELL_X = Column("cell_x", "INT64", "Column of the 660 ft grid: x_coordinate / 660, rounded down.")
CELL_Y = Column("cell_y", "INT64", "Row of the 660 ft grid: y_coordinate / 660, rounded down.")
IS_PROVISIONAL = Column(
    "is_provisional",
    "BOOL",
    "Within 28 days before the newest date of a snapshot that was taken while late reports still arrived.",
    nullable=False,
)
CRIMES_COUNT = _count("crimes", "Number of crimes.")
ARRESTS = _count("arrests", "Crimes with the arrest flag.")
ARREST_RATE = Column("arrest_rate", "FLOAT64", "arrests / crimes. Not a clearance rate.", between=(0, 1))
DOMESTIC_CRIMES = _count("domestic_crimes", "Crimes with the domestic flag.")
COMMUNITY_AREA_NAME = Column("community_area_name", "STRING", "Name of the community area.")
SIDE = Column("side", "STRING", "Side of the city that the community area lies in.")

RAW_CRIMES = Table(
    "raw_crimes",
    "The year's rows as they came, every column a string.",
    "one row of the source file",
    RAW_COLUMNS,
    year_column=None,
)
CRIMES = Table(
    "crimes",
    "Typed crimes, partitioned by month and clustered by crime type.",
    "one reported crime (for homicides: one victim)",
    (*(c for c in SOURCE_COLUMNS if c.name != "location"), MONTH),
    key=("id",),
    order=("month", "primary_type", "date", "id"),
)
REJECTED_CRIMES = Table(
    "rejected_crimes",
    "Raw rows that could not be typed, each with its reason.",
    "one rejected row of raw_crimes",
    (
        Column("file_year", "INT64", "Year of the file that the row came in.", nullable=False),
        Column(
            "reason",
            "STRING",
            "missing_id, unreadable_date, date_outside_year, or superseded (a newer row has the same id).",
            nullable=False,
        ),
        *RAW_COLUMNS,
    ),
    order=("reason", "id", "updated_on"),
    year_column="file_year",
)
ENRICHED_CRIMES = Table(
    "enriched_crimes",
    "Every typed crime with what analysts need beside it.",
    "one row of crimes",
    (
        *CRIMES.columns,
        replace(HOUR, description="Hour of `date`, 0 to 23; see is_time_placeholder."),
        DAY_OF_WEEK,
        Column(
            "is_time_placeholder",
            "BOOL",
            "Time is exactly 00:00:00 or 00:01:00, which stand for an unknown time.",
            nullable=False,
        ),
        IS_PROVISIONAL,
        OFFENSE_CLASS,
        COMPARABLE,
        Column("fbi_name", "STRING", "Name of the FBI code."),
        COMMUNITY_AREA_NAME,
        SIDE,
        CELL_X,
        CELL_Y,
    ),
    key=("id",),
    order=CRIMES.order,
)
CRIME_TYPE_COUNT = Table(
    "crime_type_count",
    "Counts by crime type, under the label that the source uses.",
    "year and primary_type",
    (YEAR, _TYPED["primary_type"], CRIMES_COUNT, ARRESTS, ARREST_RATE, DOMESTIC_CRIMES),
    key=("year", "primary_type"),
    order=("crimes", "primary_type"),
)
CRIMES_DAILY = Table(
    "crimes_daily",
    "Counts by day.",
    "day",
    (
        YEAR,
        Column("day", "DATE", "The day, Chicago local time.", nullable=False),
        CRIMES_COUNT,
        _count("violent_crimes", "Crimes of class violent."),
        _count("property_crimes", "Crimes of class property."),
        _count("non_index_crimes", "Crimes of class non_index."),
        ARRESTS,
        DOMESTIC_CRIMES,
        IS_PROVISIONAL,
    ),
    key=("day",),
    order=("day",),
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
        _count("neighborhood_crimes", "Crimes of the class in the cell and its up to eight neighbors."),
        Column(
            "gi_star",
            "FLOAT64",
            "Getis-Ord Gi* z-score over the cell and its neighbors: above 1.96, a hot spot at the 5 % level. NULL if "
            "every cell has the same count.",
        ),
        Column("latitude", "FLOAT64", "Middle of the cell's crimes, degrees north.", between=LATITUDE),
        Column("longitude", "FLOAT64", "Middle of the cell's crimes, degrees east.", between=LONGITUDE),
    ),
    key=("year", "offense_class", "cell_x", "cell_y"),
    order=("offense_class", "cell_x", "cell_y"),
)
CRIMES_MONTHLY = Table(
    "crimes_monthly",
    "Counts by month, type and place.",
    "month, offense class, comparable type, community area and district",
    (
        YEAR,
        MONTH,
        OFFENSE_CLASS,
        COMPARABLE,
        _TYPED["community_area"],
        _TYPED["district"],
        CRIMES_COUNT,
        ARRESTS,
        DOMESTIC_CRIMES,
    ),
    key=("month", "offense_class", "primary_type_comparable", "community_area", "district"),
    order=("month", "offense_class", "primary_type_comparable", "community_area", "district"),
)
CRIMES_HOURLY = Table(
    "crimes_hourly",
    "Counts by hour and weekday, without the times that stand for an unknown time.",
    "year, offense class, comparable type, weekday and hour",
    (
        YEAR,
        OFFENSE_CLASS,
        COMPARABLE,
        DAY_OF_WEEK,
        HOUR,
        replace(CRIMES_COUNT, description="Number of crimes whose time is known."),
        _count("time_placeholders", "Crimes left out of `crimes`: their time is a placeholder (they show as hour 0)."),
    ),
    key=("year", "offense_class", "primary_type_comparable", "day_of_week", "hour"),
    order=("offense_class", "primary_type_comparable", "day_of_week", "hour"),
)
AREA_RATES = Table(
    "area_rates",
    "Crimes per 1,000 residents by community area. Crimes without a community area are in none.",
    "year, community area and offense class (or all)",
    (
        YEAR,
        replace(_TYPED["community_area"], nullable=False),
        replace(COMMUNITY_AREA_NAME, nullable=False),
        replace(SIDE, nullable=False),
        CLASS_OR_ALL,
        CRIMES_COUNT,
        ARRESTS,
        Column(
            "population",
            "FLOAT64",
            "Residents: between the censuses of 2010 and 2020 on a straight line, held flat outside.",
            nullable=False,
            between=(1, float("inf")),
        ),
        Column("rate_per_1000", "FLOAT64", "crimes per 1,000 residents, for the days covered.", nullable=False),
        _count("days_covered", "Days from 1 January to the newest date of the year: a whole year has 365 or 366."),
    ),
    key=("year", "community_area", "offense_class"),
    order=("community_area", "offense_class"),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        RAW_CRIMES,
        CRIMES,
        REJECTED_CRIMES,
        ENRICHED_CRIMES,
        CRIME_TYPE_COUNT,
        CRIMES_DAILY,
        HOT_SPOTS,
        CRIMES_MONTHLY,
        CRIMES_HOURLY,
        AREA_RATES,
    )
}
