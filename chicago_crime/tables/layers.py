"""The layers: one row per reported crime, from raw to enriched."""

from dataclasses import replace

from chicago_crime.tables.columns import (
    CELL_X,
    CELL_Y,
    COMMUNITY_AREA_NAME,
    COMPARABLE,
    DAY_OF_WEEK,
    HOUR,
    IS_PROVISIONAL,
    MONTH,
    OFFENSE_CLASS,
    RAW_COLUMNS,
    SIDE,
    SOURCE_COLUMNS,
    TYPED,
    Column,
)
from chicago_crime.tables.table import Table

RAW_CRIMES = Table(
    "raw_crimes",
    "Rows of the source file, unchanged. Every column is a string.",
    "row of the source file",
    RAW_COLUMNS,
    year_column=None,
    group="warehouse",
    made_by="csv",
)
CRIMES = Table(
    "crimes",
    "Reported crimes with typed columns. Each load replaces a full year. BigQuery stores it in partitions by month.",
    "reported crime; for homicides, victim",
    (*(c for c in SOURCE_COLUMNS if c.name != "location"), MONTH),
    key=("id",),
    order=("month", "primary_type", "date", "id"),
    group="warehouse",
    upstream=(RAW_CRIMES,),
    impossible=(
        (  # no row of the City in 2014 to 2016 and 2021: somebody changed the type
            "primary_type and fbi_code disagree about homicide",
            "(primary_type = 'HOMICIDE') != (fbi_code IN ('01A', '01B'))",
        ),
    ),
)
REJECTED_CRIMES = Table(
    "rejected_crimes",
    "Raw rows excluded from `crimes`, with the reason.",
    "rejected row of `raw_crimes`",
    (
        Column("file_year", "INT64", "Year of the source file.", nullable=False),
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
    group="warehouse",
    upstream=(RAW_CRIMES,),
)
REVISIONS = Table(
    "revisions",
    "Changes between the published versions of a year. Empty for years published only once.",
    "snapshot, crime and kind of change",
    (
        TYPED["year"],
        Column("snapshot", "DATETIME", "Newest updated_on (or date, without it) after the change.", nullable=False),
        Column("previous_snapshot", "DATETIME", "The same before the change.", nullable=False),
        replace(TYPED["id"], description="Identifier of the record. NULL for another_data_set.", nullable=True),
        Column(
            "kind",
            "STRING",
            "added, vanished, reclassified (primary_type, iucr or fbi_code), arrest_turned, moved (coordinates, block "
            "or community area), corrected (date, description, location type, beat, district, ward, domestic flag or "
            "case number), or another_data_set (the two versions have too few crimes in common to compare).",
            nullable=False,
        ),
        Column("old_value", "STRING", "Previous value. NULL for added crimes."),
        Column("new_value", "STRING", "New value. NULL for crimes that vanished."),
        replace(TYPED["date"], nullable=True),
        TYPED["primary_type"],
        TYPED["community_area"],
    ),
    order=("snapshot", "kind", "id", "previous_snapshot", "old_value", "new_value"),
    group="warehouse",
    # Its statement also reads the previous `crimes`, before they are replaced, and the revisions recorded so far.
    upstream=(RAW_CRIMES,),
)
ENRICHED_CRIMES = Table(
    "enriched_crimes",
    "All columns of `crimes`, with derived columns for analysis.",
    "row of `crimes`",
    (
        *CRIMES.columns,
        replace(HOUR, description="Hour of `date`. Unreliable where is_time_placeholder is true."),
        DAY_OF_WEEK,
        Column(
            "is_time_placeholder",
            "BOOL",
            "Whether the time is exactly 00:00:00 or 00:01:00, which usually means that it is unknown.",
            nullable=False,
        ),
        IS_PROVISIONAL,
        OFFENSE_CLASS,
        COMPARABLE,
        Column("fbi_name", "STRING", "Name of the FBI code's offense."),
        COMMUNITY_AREA_NAME,
        SIDE,
        CELL_X,
        CELL_Y,
    ),
    key=("id",),
    order=CRIMES.order,
    made_by="spark",
    upstream=(CRIMES,),
)
