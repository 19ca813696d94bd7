"""The source's columns: each one once, with its spellings, type, unit and meaning.

The header reader, the table schemas, the docs, the checks and the DDL derive from here. Which table holds which
columns is in `tables/`; how a column is computed is in `sql/` and `spark_jobs/`.
"""

from dataclasses import dataclass
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
        needed: True if a source file without this column is refused.
        nullable: False if a typed row always has a value; a check proves it.
        between: smallest and largest value that can be true; a check proves it.
    """

    name: str
    type: Type
    description: str
    spellings: tuple[str, ...] = ()
    needed: bool = False
    nullable: bool = True
    between: tuple[float, float] | None = None


# The city's bounding box with a margin of about half a mile, in degrees and in NAD83 Illinois East feet.
LATITUDE = (41.63, 42.04)
LONGITUDE = (-87.96, -87.51)
X_FT = (1_090_000, 1_206_500)
Y_FT = (1_812_000, 1_953_000)

SOURCE_COLUMNS: tuple[Column, ...] = (
    Column("id", "INT64", "The City's key of the record.", ("uniquekey",), needed=True, nullable=False),
    Column("case_number", "STRING", "Records Division number; victims of one homicide share it.", ("case", "caseno")),
    Column(
        "date",
        "DATETIME",
        "When it happened, at times a best estimate. Chicago local time.",
        ("dateofoccurrence", "datetime"),
        needed=True,
        nullable=False,
    ),
    Column("block", "STRING", "Street block, house number masked: the place is approximate."),
    Column("iucr", "STRING", "Illinois Uniform Crime Reporting code, 4 characters, zero-padded.", ("iucrcode",)),
    Column("primary_type", "STRING", "Crime type, from the IUCR code.", ("primarydescription",), needed=True),
    Column("description", "STRING", "Subtype, from the IUCR code.", ("secondarydescription",)),
    Column("location_description", "STRING", "Kind of place, e.g. STREET."),
    Column("arrest", "BOOL", "Whether an arrest was made. Not whether the case was cleared.", needed=True),
    Column("domestic", "BOOL", "Domestic-related under the Illinois Domestic Violence Act."),
    Column("beat", "INT64", "Police beat, the smallest police area.", between=(100, 9999)),
    Column("district", "INT64", "Police district, made of beats.", between=(1, 31)),
    Column("ward", "INT64", "City Council ward.", between=(1, 50)),
    Column("community_area", "INT64", "Community area, 1 to 77; 0 in the source means none.", between=(1, 77)),
    Column("fbi_code", "STRING", "FBI (NIBRS-based) code, zero-padded.", ("fbicd", "nibrs"), needed=True),
    Column("x_coordinate", "FLOAT64", "Block-level place, NAD83 Illinois East, feet.", ("xcoord",), between=X_FT),
    Column("y_coordinate", "FLOAT64", "Block-level place, NAD83 Illinois East, feet.", ("ycoord",), between=Y_FT),
    Column("year", "INT64", "Year of `date`.", nullable=False),
    Column("updated_on", "DATETIME", "When the record last changed. Chicago local time.", ("updated",)),
    Column("latitude", "FLOAT64", "Block-level place, degrees north.", ("lat",), between=LATITUDE),
    Column("longitude", "FLOAT64", "Block-level place, degrees east.", ("lon", "lng", "long"), between=LONGITUDE),
    Column("location", "STRING", "Latitude and longitude as one text."),
)
