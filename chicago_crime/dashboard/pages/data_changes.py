"""Two parts of the page Data: what changed when years were loaded again, and which labels stand for the same type."""

from collections import defaultdict
from typing import Any

from chicago_crime.dashboard.page import Asked
from chicago_crime.dashboard.view import Column, Section, Shown, write
from chicago_crime.storage.warehouse import TooMuchToReadError
from chicago_crime.tables import REVISIONS

KINDS = {
    "added": ("Added", "was not there before"),
    "vanished": ("Vanished", "is no longer there"),
    "reclassified": ("Reclassified", "another primary type, IUCR or FBI code"),
    "arrest_turned": ("Arrest flag turned", "with the flag now, or without"),
    "moved": ("Moved", "other coordinates, block or community area"),
    "corrected": ("Corrected", "another date, description, kind of place, beat, ward, flag or case number"),
    "another_data_set": ("Another data set", "too few ids in common to compare"),
}
"""Kind of revision -> its name, and what it means of a crime."""


def revisions(asked: Asked) -> Section:
    """What changed when years were loaded again."""
    stored = asked.data.stored()[REVISIONS.name]
    try:
        found = asked.data.answer("revisions", {"years": asked.years}).to_pylist() if stored else []
    except TooMuchToReadError as error:
        return Section("revisions", "Changed since it was first loaded", str(error))
    order = list(KINDS)
    rows = [
        {
            "year": row["year"],
            "snapshot": row["snapshot"],
            "previous_snapshot": row["previous_snapshot"],
            "kind": KINDS[row["kind"]][0],
            "changes": row["changes"],
            "meaning": _meaning(row),
        }
        for row in sorted(found, key=lambda row: (-row["year"], row["snapshot"], order.index(row["kind"])))
    ]
    columns = (
        Column("year", "Year", "plain"),
        Column("previous_snapshot", "From the data of", "date"),
        Column("snapshot", "To the data of", "date"),
        Column("kind", "What changed"),
        Column("changes", "Crimes", "count"),
        Column("meaning", "Which means", "prose"),
    )
    if not rows:
        says = f"No year of {asked.in_years} differs from what was loaded before it."
        return Section("revisions", "Changed since it was first loaded", says)
    changes, years = sum(row["changes"] for row in rows), len({row["year"] for row in rows})
    return Section(
        "revisions",
        "Changed since it was first loaded",
        f"{write(changes, 'count')} changes in {years} {'year' if years == 1 else 'years'}. Records are added, changed "
        "and reclassified for years; a snapshot goes by the day of the newest change in it.",
        ['Crime by crime: chicago-crime query "from revisions"'],
        tables=[Shown("revisions", "Changes by year, snapshot and kind", columns, rows, is_open=True)],
        shape="wide",
    )


def _meaning(row: dict[str, Any]) -> str:
    if row["kind"] == "arrest_turned":
        without = row["changes"] - row["arrests"]
        return f"{write(row['arrests'], 'count')} with the flag now, {write(without, 'count')} without"
    return row["crimes"] or KINDS[row["kind"]][1]


def labels(asked: Asked) -> Section:
    """The source's labels of types beside the one label for all years."""
    together: dict[str, dict[str, int]] = defaultdict(dict)
    for row in asked.data.answer("choices", {}).to_pylist():
        if row["primary_type"]:
            together[row["primary_type_comparable"]][row["primary_type"]] = row["crimes"]
    rows: list[dict[str, Any]] = [
        {"comparable": comparable, "source": source, "crimes": crimes, "is_merged": source != comparable}
        for comparable, of_source in sorted(together.items())
        for source, crimes in sorted(of_source.items(), key=lambda item: -item[1])
    ]
    columns = (
        Column("source", "The source's label"),
        Column("comparable", "One label for all years"),
        Column("crimes", "Crimes, all years", "count"),
    )
    merged = sum(row["is_merged"] for row in rows)
    return Section(
        "labels",
        "Labels of types, side by side",
        f"{merged} of {len(rows)} labels of the source go by another one here, so that trends do not break."
        if merged
        else "Every label of the source stands for itself in these years.",
        tables=[Shown("labels", "The source's labels and those for all years", columns, rows, shown=200)],
    )
