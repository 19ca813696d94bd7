"""Columns, each described once with its type, unit and meaning.

The source's columns come first, with the header spellings seen in the wild, then the derived columns that several
tables share. The header reader, schemas, checks, DDL and data dictionary are generated from these definitions.
"""

from dataclasses import dataclass, replace
from typing import Literal

Type = Literal["STRING", "INT64", "FLOAT64", "BOOL", "DATETIME", "DATE"]
"""BigQuery's names for the types in use. DATETIME and DATE are Chicago local time, never UTC."""


@dataclass(frozen=True)
class Column:
    """One column of one or more tables.

    Attributes:
        name: the City's API name; derived columns have a name that includes the unit or meaning.
        type: type in typed tables; every column of `raw_crimes` is STRING.
        description: meaning of a value, with its unit.
        spellings: other accepted header spellings, lowercase letters and digits only.
        required: True if source files must include the column.
        nullable: False if every typed row has a value, which a check verifies.
        between: valid range; a check warns about values outside it and fails if there are many.
        pattern: regular expression for valid text, checked in the same way.
        form: the pattern in words, with an example.
    """

    name: str
    type: Type
    description: str
    spellings: tuple[str, ...] = ()
    required: bool = False
    nullable: bool = True
    between: tuple[float, float] | None = None
    pattern: str = ""
    form: str = ""

    @property
    def meaning(self) -> str:
        """The description, and what must hold."""
        never = "" if self.nullable else " Never NULL."
        return f"{self.description}{never}{self.valid_range and f' Expected range: {self.valid_range}.'}"

    @property
    def valid_range(self) -> str:
        """The range of valid numbers, as text; empty if any number is valid."""
        if self.between is None:
            return ""
        low, high = self.between
        return f"{low:,} to {high:,}"


# The city's bounding box with a margin of about half a mile, in degrees and in NAD83 Illinois East feet.
LATITUDE = (41.63, 42.04)
LONGITUDE = (-87.96, -87.51)
X_FT = (1_090_000, 1_206_500)
Y_FT = (1_812_000, 1_953_000)

SOURCE_COLUMNS: tuple[Column, ...] = (
    Column(
        "id",
        "INT64",
        "Unique identifier of the record, assigned by the City.",
        ("uniquekey", "crimeid", "incidentid"),
        required=True,
        nullable=False,
    ),
    Column(
        "case_number",
        "STRING",
        "Chicago Police Department RD number. Each victim of a homicide has a separate record with the same number.",
        ("case", "caseno", "casenum", "rd", "rdno", "rdnumber"),
    ),
    Column(
        "date",
        "DATETIME",
        "Date and time of the incident, sometimes a best estimate. Chicago local time.",
        ("dateofoccurrence", "datetime", "dateoccurred", "occurrencedate", "crimedate"),
        required=True,
        nullable=False,
    ),
    Column(
        "block",
        "STRING",
        "Address with the last two digits of the house number masked, so it names a block rather than a building. In "
        "typed tables in capitals, and the first block of a street is always written 0000X.",
        ("blockaddress",),
    ),
    Column(
        "iucr",
        "STRING",
        "Illinois Uniform Crime Reporting code. In typed tables 4 characters, zero-padded.",
        ("iucrcode", "iucrno"),
        pattern="^[0-9]{3}[0-9A-Z]$",
        form="three digits and a digit or letter, such as 0820 or 031A",
    ),
    Column(
        "primary_type",
        "STRING",
        "Crime type: the primary description of the IUCR code.",
        ("primarydescription", "primary", "crimetype"),
        required=True,
    ),
    Column(
        "description",
        "STRING",
        "Subtype: the secondary description of the IUCR code. In typed tables in capitals.",
        ("secondarydescription", "crimedescription", "typedesc"),
    ),
    Column(
        "location_description",
        "STRING",
        "Type of location, such as STREET or APARTMENT. In typed tables in capitals.",
        ("locationdesc", "locdescription"),
    ),
    Column(
        "arrest", "BOOL", "Whether an arrest was made. An arrest does not mean the case was cleared.", required=True
    ),
    Column("domestic", "BOOL", "Whether the incident was domestic-related under the Illinois Domestic Violence Act."),
    Column("beat", "INT64", "Police beat, the smallest police geographic area.", ("beatnum",), between=(100, 9999)),
    Column(
        "district",
        "INT64",
        "Police district: 1 to 25, or, in some records, 31 or 61.",
        ("districtcode",),
        between=(1, 61),
    ),
    Column(
        "ward",
        "INT64",
        "City Council ward. The source uses 0 for none, which is NULL in typed tables.",
        ("wardno",),
        between=(1, 50),
    ),
    Column(  # not `Community Areas`, which some portal exports add with a different numbering
        "community_area",
        "INT64",
        "Community area number. The source uses 0 for none, which is NULL in typed tables.",
        ("communityareanumber", "communityareano", "communitycode", "commarea"),
        between=(1, 77),
    ),
    Column(
        "fbi_code",
        "STRING",
        "FBI crime classification (NIBRS-based). In typed tables zero-padded.",
        ("fbi", "fbicd", "fbicodes", "nibrs", "nibrscode"),
        required=True,
        pattern="^[0-9][0-9][A-Z]?$",
        form="two digits with or without a letter, such as 06 or 08B",
    ),
    Column(
        "x_coordinate",
        "FLOAT64",
        "Easting of the block, Illinois State Plane East (NAD 1983), in feet.",
        ("xcoord", "xcoordinates", "coordinatex"),
        between=X_FT,
    ),
    Column(
        "y_coordinate",
        "FLOAT64",
        "Northing of the block, Illinois State Plane East (NAD 1983), in feet.",
        ("ycoord", "ycoordinates", "coordinatey"),
        between=Y_FT,
    ),
    Column("year", "INT64", "Year of the crime.", nullable=False),
    Column(
        "updated_on",
        "DATETIME",
        "Date and time the record was last updated. Chicago local time.",
        ("updated", "updateon", "lastupdated", "dateofupdate"),
    ),
    Column("latitude", "FLOAT64", "Latitude of the block, in degrees north.", ("lat",), between=LATITUDE),
    Column(
        "longitude", "FLOAT64", "Longitude of the block, in degrees east.", ("lon", "lng", "long"), between=LONGITUDE
    ),
    Column("location", "STRING", "Latitude and longitude as one string."),
)


def count(name: str, description: str) -> Column:
    """A column of counts, never NULL."""
    return Column(name, "INT64", description, nullable=False)


RAW_COLUMNS = tuple(replace(c, type="STRING", nullable=True, between=None, pattern="") for c in SOURCE_COLUMNS)
TYPED = {c.name: c for c in SOURCE_COLUMNS}
SOURCE_NAMES = tuple(TYPED)
YEAR = TYPED["year"]
MONTH = Column("month", "DATE", "First day of the month of `date`.", nullable=False)
OFFENSE_CLASSES = ("violent", "property", "non_index")
OFFENSE_CLASS = Column(
    "offense_class",
    "STRING",
    "violent, property or non_index, from the FBI code. non_index if the code is missing or unknown.",
    nullable=False,
)
CLASS_OR_ALL = replace(OFFENSE_CLASS, description="violent, property, non_index, or all for every class combined.")
COMPARABLE = Column(
    "primary_type_comparable", "STRING", "Crime type, the same for types the City renamed and codes it moved."
)
DAY_OF_WEEK = Column(
    "day_of_week", "INT64", "ISO day of the week: 1 Monday to 7 Sunday.", nullable=False, between=(1, 7)
)
HOUR = Column("hour", "INT64", "Hour of the day.", nullable=False, between=(0, 23))
CELL_FT = 660
"""Side of a grid cell in feet, the length of a standard Chicago block. The Spark job repeats it: it imports nothing."""
CELL_X = Column(
    "cell_x",
    "INT64",
    f"Column of the {CELL_FT}-foot grid: x_coordinate / {CELL_FT}, rounded down. NULL without X and Y, even where "
    "latitude and longitude are known.",
)
CELL_Y = Column("cell_y", "INT64", f"Row of the {CELL_FT}-foot grid: y_coordinate / {CELL_FT}, rounded down.")
IS_PROVISIONAL = Column(
    "is_provisional",
    "BOOL",
    "Whether the crime falls in the latest 28 days of its year's data and late reports may still be missing. False for "
    "the full year once two of its records were updated 28 days or more after the newest crime.",
    nullable=False,
)
CRIMES_COUNT = count("crimes", "Number of crimes.")
ARRESTS = count("arrests", "Number of crimes with an arrest.")
ARREST_RATE = Column(
    "arrest_rate",
    "FLOAT64",
    "Arrests divided by crimes whose arrest flag is known. NULL if the flag is unknown for more than 1%. Not a "
    "clearance rate.",
    between=(0, 1),
)
DOMESTIC_CRIMES = count("domestic_crimes", "Number of domestic-related crimes.")
COMMUNITY_AREA_NAME = Column("community_area_name", "STRING", "Name of the community area.")
SIDE = Column("side", "STRING", "Side of the city, such as West.")

DIMENSIONS = (
    OFFENSE_CLASS,
    TYPED["primary_type"],
    COMPARABLE,
    TYPED["community_area"],
    TYPED["district"],
    TYPED["arrest"],
    TYPED["domestic"],
)
"""The dimensions that the marts by month, hour and cell share."""

DIMENSION_NAMES = tuple(column.name for column in DIMENSIONS)
