"""The page Data: loaded years, rejected rows, changes, and check results."""

from collections import Counter
from datetime import date, datetime
from typing import Any

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.view import SYNTHETIC, Column, Number, PageTable, Section, View, as_text, crimes_text
from chicago_crime.published.catalog import CHICAGO
from chicago_crime.tables import CRIMES, REJECTED_CRIMES
from chicago_crime.tables.years import format_years

KINDS = {
    "new_days": ("New days", "of days that the City had not yet published"),
    "added": ("Added", "new in the data, of days that were published before"),
    "vanished": ("Vanished", "no longer in the data"),
    "reclassified": ("Reclassified", "different primary type, IUCR or FBI code"),
    "arrest_turned": ("Arrest flag changed", "now set, or no longer set"),
    "moved": ("Moved", "different coordinates, block or community area"),
    "corrected": (
        "Corrected",
        "different date, description, location type, beat, district, ward, domestic flag or case",
    ),
    "another_data_set": ("Different dataset", "too few IDs in common to compare"),
}
"""Kind of revision -> label and meaning."""


def data_page(request: PageRequest) -> View:
    """Build the page. Only the years and dates of the filters apply."""
    request.note_unused(["year", "start", "finish"])
    facts = request.facts
    published = request.data.catalog.years
    sources = sorted({str(published[year].source["source"]) for year in request.years})
    newest = facts.years[request.newest_year].last_day
    rows = sum(facts.years[year].crimes for year in request.years)
    synthetic = format_years(facts.synthetic)
    return View(
        "What is loaded, what was excluded, and what did the checks find?",
        numbers=[
            Number("Years loaded", str(len(facts.years)), f"selected: {request.years_text}"),
            Number("Rows", as_text(rows, "count"), f"in {request.years_text}", " ".join(caveats.on_records(request))),
            Number("Newest day", f"{newest:%b} {newest.day}, {newest.year}"),
            Number("Source", ", ".join(sources), f"{SYNTHETIC}: {synthetic}" if synthetic else ""),
        ],
        sections=[_checks(request), _snapshot(request), _rejects(request), _revisions(request)],
    )


def _snapshot(request: PageRequest) -> Section:
    """The current snapshot, and the source of each of its years."""
    catalog = request.data.catalog
    rows = []
    updated = {
        row["year"]: row["updated_on"] for row in request.data.answer("updated", {"years": request.years}).to_pylist()
    }
    for year in reversed(request.years):
        held = catalog.years[year]
        others = Counter(check.outcome for check in held.checks if check.outcome != "passed")
        rows.append(
            {
                "year": year,
                "rows": held.tables[CRIMES.name].rows,
                "rejected": held.tables[REJECTED_CRIMES.name].rows,
                "quarantined": held.source["quarantined"],
                "source_lines": held.source["lines"],
                "source": held.source["source"],
                "updated": updated[year],
                "fetched": _day(held.source["fetched_at"]),
                "published": _day(held.published_at),
                "checks": ", ".join(
                    f"{count} {outcome}{'s' if outcome == 'warning' and count > 1 else ''}"
                    for outcome, count in others.items()
                )
                or "all passed",
                "accepted": held.accepted or "",
                "version": held.version,
                "run": held.run[:8],
            }
        )
    columns = (
        Column("year", "Year"),
        Column("rows", "Crimes", "count"),
        Column("rejected", "Rejected rows", "count"),
        Column("quarantined", "Quarantined lines", "count"),
        Column("source_lines", "Source lines", "count"),
        Column("source", "Source"),
        Column("updated", "Records updated to", "date"),
        Column("fetched", "Fetched", "date"),
        Column("published", "Published", "date"),
        Column("checks", "Checks"),
        Column("accepted", "Reason accepted", "prose"),
        Column("version", "Version"),
        Column("run", "Run"),
    )
    return Section(
        "snapshot",
        f"Snapshot {catalog.snapshot}",
        f"Published {as_text(catalog.published_at.astimezone(CHICAGO), 'date')}. All pages show this snapshot, even "
        "while new data is loaded. To see an older one, add as_of= and a day or snapshot ID to the address; "
        "chicago-crime snapshots lists them.",
        [
            "Source lines = crimes + rejected rows + quarantined lines (+ blank and continuation lines). Checks verify "
            "this before a year is published."
        ],
        tables=[PageTable("years", "Source of each year", columns, rows)],
    )


def _day(text: str) -> date:
    """Return the day in Chicago of a UTC time."""
    return datetime.fromisoformat(text).astimezone(CHICAGO).date()


def _revisions(request: PageRequest) -> Section:
    """Changes found when years were loaded again."""
    rows = [
        row | {"kind": KINDS[row["change"]][0], "meaning": _meaning_of(row)}
        for row in request.data.answer("revisions", {"years": request.years}).to_pylist()
    ]
    columns = (
        Column("year", "Year"),
        Column("previous_snapshot", "From data as of", "date"),
        Column("snapshot", "To data as of", "date"),
        Column("kind", "Change"),
        Column("changes", "Crimes", "count"),
        Column("meaning", "Meaning", "prose"),
    )
    title = "Changes since the first publication"
    if not rows:
        unchanged = f"No changes in {request.years_text}."
        return Section("revisions", title, unchanged, is_wide=False)
    reclassified = request.data.answer("reclassified", {"years": request.years}).to_pylist()
    by_type = (Column("change", "Old and new type"), Column("year", "Year"), Column("changes", "Crimes", "count"))
    new_days = sum(row["changes"] for row in rows if row["change"] == "new_days")
    changes, years = sum(row["changes"] for row in rows) - new_days, len({row["year"] for row in rows})
    besides = f", besides {crimes_text(new_days)} of new days" if new_days else ""
    return Section(
        "revisions",
        title,
        f"{as_text(changes, 'count')} changes in {years} {'year' if years == 1 else 'years'}{besides}. Records are "
        "still added, corrected and reclassified years later. Data is dated by its most recent update.",
        ['For individual crimes: chicago-crime query "from revisions"'],
        tables=[
            PageTable("revisions", "Changes by year, snapshot and kind", columns, rows),
            *([PageTable("reclassified", "Reclassified crimes", by_type, reclassified)] if reclassified else []),
        ],
    )


def _meaning_of(row: dict[str, Any]) -> str:
    if row["change"] == "arrest_turned":
        without = row["changes"] - row["arrests"]
        return f"{as_text(row['arrests'], 'count')} now set, {as_text(without, 'count')} no longer set"
    return row["crimes"] or KINDS[row["change"]][1]


def _rejects(request: PageRequest) -> Section:
    rows = request.data.answer("rejects", {"years": request.years}).to_pylist()
    columns = (Column("year", "Year"), Column("reason", "Reason"), Column("rows", "Rows", "count"))
    intro = (
        f"Rows rejected: {as_text(sum(row['rows'] for row in rows), 'count')}." if rows else "No rows were rejected."
    )
    return Section(
        "rejects",
        "Rejected rows by reason",
        intro,
        tables=[PageTable("rejects", "Rejected rows", columns, rows)] if rows else [],
        is_wide=False,
    )


def _checks(request: PageRequest) -> Section:
    order = ("accepted", "warning", "passed")
    rows: list[dict[str, Any]] = [
        {"year": year, "check": one.check, "result": one.outcome, "found": one.finding}
        for year in request.years
        for one in request.data.catalog.years[year].checks
    ]
    rows.sort(key=lambda row: (order.index(row["result"]), -row["year"], row["check"]))
    counts = Counter(row["result"] for row in rows)
    plural = "s" if counts["warning"] > 1 else ""
    named = {"accepted": "accepted", "warning": f"warning{plural}"}
    others = "".join(f", {counts[outcome]} {name}" for outcome, name in named.items() if counts[outcome])
    columns = (
        Column("year", "Year"),
        Column("check", "Check"),
        Column("result", "Result"),
        Column("found", "Finding", "prose"),
    )
    return Section(
        "checks",
        "Checks",
        f"{len(rows)} checks of {request.years_text}: {counts['passed']} passed{others}. A year with a failed "
        "check is not published; some failures can be accepted with a reason.",
        tables=[PageTable("checks", "Results, problems first", columns, rows, is_open=bool(others))],
    )
