"""Columns: each one described once, with its type, unit and meaning.

First those of the source, with the spellings that publishers use, then those that several tables add. The header
reader, the schemas, the checks, the DDL and the data dictionary derive from them.
"""

from dataclasses import dataclass, replace
from math import inf
from typing import Literal

Type = Literal["STRING", "INT64", "FLOAT64", "BOOL", "DATETIME", "DATE"]
"""BigQuery's names for the types in use. DATETIME and DATE are Chicago local time, never UTC."""


@dataclass(frozen=True)
class Column:
    """One column of one or more tables.

    Attributes:
        name: the City's API name, or for added columns a name that carries unit or meaning.
        type: the type in typed tables; in `raw_crimes` every column is STRING.
        description: what a value means, with its unit.
        spellings: header spellings beyond `name`, letters and digits only, in lower case.
        needed: True if a source file must have the column.
        nullable: False if every typed row has a value; a check proves it.
        between: smallest and largest plausible value; a check warns about others, and fails if many are.
        pattern: regular expression that a plausible text matches, in the same way.
    """

    name: str
    type: Type
    description: str
    spellings: tuple[str, ...] = ()
    needed: bool = False
    nullable: bool = True
    between: tuple[float, float] | None = None
    pattern: str = ""

    @property
    def plausible(self) -> str:
        """Which numbers are plausible, in words; "" if all are."""
        if self.between is None:
            return ""
        low, high = self.between
        return f"at least {low:,}" if high == inf else f"between {low:,} and {high:,}"


# The city's bounding box with a margin of about half a mile, in degrees and in NAD83 Illinois East feet.
LATITUDE = (41.63, 42.04)
LONGITUDE = (-87.96, -87.51)
X_FT = (1_090_000, 1_206_500)
Y_FT = (1_812_000, 1_953_000)

SOURCE_COLUMNS: tuple[Column, ...] = (
    Column(
        "id",
        "INT64",
        "The City's key of the record.",
        ("uniquekey", "crimeid", "incidentid"),
        needed=True,
        nullable=False,
    ),
    Column(
        "case_number",
        "STRING",
        "Records Division number; victims of one homicide share it.",
        ("case", "caseno", "casenum", "rd", "rdno", "rdnumber"),
    ),
    Column(
        "date",
        "DATETIME",
        "When it happened, at times a best estimate. Chicago local time.",
        ("dateofoccurrence", "datetime", "dateoccurred", "occurrencedate", "crimedate"),
        needed=True,
        nullable=False,
    ),
    Column("block", "STRING", "Street block, house number masked: the place is approximate.", ("blockaddress",)),
    Column(
        "iucr",
        "STRING",
        "Illinois Uniform Crime Reporting code, 4 characters, zero-padded.",
        ("iucrcode", "iucrno"),
        pattern="^[0-9]{3}[0-9A-Z]$",
    ),
    Column(
        "primary_type",
        "STRING",
        "Crime type, from the IUCR code.",
        ("primarydescription", "primary", "crimetype"),
        needed=True,
    ),
    Column("description", "STRING", "Subtype, from the IUCR code.", ("secondarydescription", "crimedescription")),
    Column("location_description", "STRING", "Kind of place, e.g. STREET.", ("locationdesc", "locdescription")),
    Column("arrest", "BOOL", "Whether an arrest was made. Not whether the case was cleared.", needed=True),
    Column("domestic", "BOOL", "Domestic-related under the Illinois Domestic Violence Act."),
    Column("beat", "INT64", "Police beat, the smallest police area.", between=(100, 9999)),
    Column("district", "INT64", "Police district, made of beats.", between=(1, 31)),
    Column("ward", "INT64", "City Council ward.", between=(1, 50)),
    Column(  # not `Community Areas`, which some exports of the portal have beside it, with numbers of its own
        "community_area",
        "INT64",
        "Community area, 1 to 77; 0 in the source means none.",
        ("communityareanumber", "communityareano", "commarea"),
        between=(1, 77),
    ),
    Column(
        "fbi_code",
        "STRING",
        "FBI (NIBRS-based) code, zero-padded.",
        ("fbicd", "fbicodes", "nibrs", "nibrscode"),
        needed=True,
        pattern="^[0-9][0-9][A-Z]?$",
    ),
    Column(
        "x_coordinate",
        "FLOAT64",
        "Block-level place, NAD83 Illinois East, feet.",
        ("xcoord", "xcoordinates"),
        between=X_FT,
    ),
    Column(
        "y_coordinate",
        "FLOAT64",
        "Block-level place, NAD83 Illinois East, feet.",
        ("ycoord", "ycoordinates"),
        between=Y_FT,
    ),
    Column("year", "INT64", "Year of `date`.", nullable=False),
    Column(
        "updated_on",
        "DATETIME",
        "When the record last changed. Chicago local time.",
        ("updated", "updateon", "lastupdated"),
    ),
    Column("latitude", "FLOAT64", "Block-level place, degrees north.", ("lat",), between=LATITUDE),
    Column("longitude", "FLOAT64", "Block-level place, degrees east.", ("lon", "lng", "long"), between=LONGITUDE),
    Column("location", "STRING", "Latitude and longitude as one text."),
)


def count(name: str, description: str) -> Column:
    """A column that counts something."""
    return Column(name, "INT64", description, nullable=False, between=(0, inf))


RAW_COLUMNS = tuple(replace(c, type="STRING", nullable=True, between=None, pattern="") for c in SOURCE_COLUMNS)
TYPED = {c.name: c for c in SOURCE_COLUMNS}
SOURCE_NAMES = tuple(TYPED)
YEAR = TYPED["year"]
MONTH = Column("month", "DATE", "First day of the month of `date`.", nullable=False)
OFFENSE_CLASSES = ("violent", "property", "non_index")
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
    "On one of the newest 28 days of the year's data, unless a record of the year was updated 28 days later or more.",
    nullable=False,
)
CRIMES_COUNT = count("crimes", "Number of crimes.")
ARRESTS = count("arrests", "Crimes with the arrest flag.")
ARREST_RATE = Column(
    "arrest_rate",
    "FLOAT64",
    "arrests / crimes whose flag is known; NULL if over 1 % are unknown. Not a clearance rate.",
    between=(0, 1),
)
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
"""What people filter by. A mart with these columns can answer any choice of them."""

FILTERED_BY = tuple(column.name for column in FILTERABLE)
