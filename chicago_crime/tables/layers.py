"""The layers: every reported crime as one row, from the raw row to the enriched one."""

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
    "The year's rows as they came, every column a string.",
    "one row of the source file",
    RAW_COLUMNS,
    year_column=None,
    group="warehouse",
    made_by="csv",
)
CRIMES = Table(
    "crimes",
    "Typed crimes, partitioned by month and clustered by crime type.",
    "one reported crime (for homicides: one victim)",
    (*(c for c in SOURCE_COLUMNS if c.name != "location"), MONTH),
    key=("id",),
    order=("month", "primary_type", "date", "id"),
    group="warehouse",
    upstream=(RAW_CRIMES,),
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
    group="warehouse",
    upstream=(RAW_CRIMES,),
)
REVISIONS = Table(
    "revisions",
    "What changed in a year each time that it was loaded again. Empty for a year that was loaded once.",
    "snapshot, crime and kind of change",
    (
        TYPED["year"],
        Column("snapshot", "DATETIME", "Newest updated_on of the data that brought the change.", nullable=False),
        Column("previous_snapshot", "DATETIME", "Newest updated_on of the data before.", nullable=False),
        replace(TYPED["id"], description="The City's key of the record; NULL for another_data_set.", nullable=True),
        Column(
            "kind",
            "STRING",
            "added, vanished, reclassified (primary_type, iucr or fbi_code), arrest_turned, moved (coordinates, block "
            "or community area), corrected (another column), or another_data_set (nothing to compare).",
            nullable=False,
        ),
        Column("old_value", "STRING", "What changed, as it was before. NULL if the crime was not there."),
        Column("new_value", "STRING", "What changed, as it is now. NULL if the crime is no longer there."),
        replace(TYPED["date"], nullable=True),
        TYPED["primary_type"],
        TYPED["community_area"],
    ),
    key=("snapshot", "previous_snapshot", "id", "kind", "old_value", "new_value"),
    order=("snapshot", "kind", "id", "previous_snapshot", "old_value", "new_value"),
    group="warehouse",
    # Its statement also reads the former `crimes`, before they are replaced, and the revisions noted so far.
    upstream=(RAW_CRIMES,),
)
ENRICHED_CRIMES = Table(
    "enriched_crimes",
    "Every typed crime, with derived columns for analysis.",
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
    made_by="spark",
    upstream=(CRIMES,),
)
