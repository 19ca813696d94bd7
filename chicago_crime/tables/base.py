"""What the tables are made of: `Table` itself, and the columns that more than one table has.

Here belongs what both the layers and the marts need. A column that the source hands over is described in `schema.py`.
"""

from dataclasses import dataclass, replace

from chicago_crime.tables.columns import SOURCE_COLUMNS, Column


@dataclass(frozen=True)
class Table:
    """One table, partitioned by year.

    Attributes:
        name: table name and asset key.
        description: what it holds.
        grain: what one row is.
        columns: in the table's order.
        key: columns that together identify a row; empty if rows may repeat.
        order: columns that rows are sorted by, so that readers skip what they do not need; empty where they read all
            of a year anyway.
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


def count(name: str, description: str) -> Column:
    """A column that counts something."""
    return Column(name, "INT64", description, nullable=False, between=(0, float("inf")))


RAW_COLUMNS = tuple(replace(c, type="STRING", nullable=True, between=None) for c in SOURCE_COLUMNS)
TYPED = {c.name: c for c in SOURCE_COLUMNS}
YEAR = TYPED["year"]
MONTH = Column("month", "DATE", "First day of the month of `date`.", nullable=False)
OFFENSE_CLASS = Column("offense_class", "STRING", "violent, property or non_index, by FBI code.", nullable=False)
CLASS_OR_ALL = replace(OFFENSE_CLASS, description="violent, property, non_index, or all of them.")
COMPARABLE = Column("primary_type_comparable", "STRING", "Crime type under one label for all years.")
DAY_OF_WEEK = Column("day_of_week", "INT64", "ISO: 1 Monday to 7 Sunday.", nullable=False, between=(1, 7))
HOUR = Column("hour", "INT64", "Hour of the day, 0 to 23.", nullable=False, between=(0, 23))
CELL_FT = 660
"""Side of a grid cell in feet: the City's block length. The Spark job, which imports nothing of ours, has its own."""
CELL_X = Column("cell_x", "INT64", f"Column of the {CELL_FT} ft grid: x_coordinate / {CELL_FT}, rounded down.")
CELL_Y = Column("cell_y", "INT64", f"Row of the {CELL_FT} ft grid: y_coordinate / {CELL_FT}, rounded down.")
IS_PROVISIONAL = Column(
    "is_provisional",
    "BOOL",
    "Within 28 days before the newest date of a snapshot that was taken while late reports still arrived.",
    nullable=False,
)
CRIMES_COUNT = count("crimes", "Number of crimes.")
ARRESTS = count("arrests", "Crimes with the arrest flag.")
ARREST_RATE = Column("arrest_rate", "FLOAT64", "arrests / crimes. Not a clearance rate.", between=(0, 1))
DOMESTIC_CRIMES = count("domestic_crimes", "Crimes with the domestic flag.")
COMMUNITY_AREA_NAME = Column("community_area_name", "STRING", "Name of the community area.")
SIDE = Column("side", "STRING", "Side of the city that the community area lies in.")

FILTERABLE = (
    OFFENSE_CLASS,
    TYPED["primary_type"],
    COMPARABLE,
    TYPED["community_area"],
    TYPED["district"],
    TYPED["arrest"],
    TYPED["domestic"],
)
"""What people filter by. A mart with these columns can answer for any choice of them."""

FILTERED_BY = tuple(column.name for column in FILTERABLE)
