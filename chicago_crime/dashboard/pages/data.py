"""The page Data: what is loaded, what was excluded or changed, and what the checks found."""

from collections import Counter
from datetime import date, datetime
from typing import Any

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.view import SYNTHETIC, Column, Number, PageTable, Section, View, as_text
from chicago_crime.published.catalog import CHICAGO
from chicago_crime.tables import CRIMES, REJECTED_CRIMES

KINDS = {
    "added": ("Added", "new in the data"),
    "vanished": ("Vanished", "no longer in the data"),
    "reclassified": ("Reclassified", "different primary type, IUCR or FBI code"),
    "arrest_turned": ("Arrest flag changed", "now set, or no longer set"),
    "moved": ("Moved", "different coordinates, block or community area"),
    "corrected": ("Corrected", "different date, description, kind of location, beat, ward, flag or case number"),
    "another_data_set": ("Different data set", "too few common ids to compare"),
}
"""Kind of revision -> its name on the page, and its meaning."""


def data_page(request: PageRequest) -> View:
    """Build the page. Of the filters, only years and the years of dates apply to it."""
    request.note_unused(["year", "start", "finish"])
    facts = request.facts
    published = request.data.catalog.years
    sources = sorted({str(published[year].source["source"]) for year in request.years})
    newest = facts.years[request.newest_year].last_day
    synthetic = caveats.synthetic_years(facts)
    return View(
        "What is loaded, what was excluded, and what did the checks find?",
        numbers=[
            Number("Years loaded", str(len(facts.years)), f"selected: {request.years_text}"),
            Number(
                "Rows",
                as_text(sum(facts.years[year].crimes for year in request.years), "count"),
                f"in {request.years_text}",
            ),
            Number(
                "Newest day", f"{newest.day} {newest:%b %Y}", "", " ".join(caveats.provisional(facts, request.years))
            ),
            Number("Source", ", ".join(sources), f"{SYNTHETIC}: {synthetic}" if synthetic else ""),
        ],
        sections=[
            _checks(request),
            _snapshot(request),
            _rejects(request),
            _revisions(request),
        ],
    )


def _snapshot(request: PageRequest) -> Section:
    """Which snapshot the pages show, and how each of its years came into it."""
    catalog = request.data.catalog
    rows = []
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
                "fetched": _day(held.source["fetched_at"]),
                "published": _day(held.published_at),
                "checks": ", ".join(f"{count} {outcome}" for outcome, count in others.items()) or "all passed",
                "accepted": held.accepted or "",
                "version": held.version,
                "run": held.run[:8],
            }
        )
    columns = (
        Column("year", "Year"),
        Column("rows", "Crimes", "count"),
        Column("rejected", "Rejected rows", "count"),
        Column("quarantined", "Unreadable lines", "count"),
        Column("source_lines", "Source lines", "count"),
        Column("source", "Source"),
        Column("fetched", "Fetched", "date"),
        Column("published", "Published", "date"),
        Column("checks", "Checks"),
        Column("accepted", "Accepted because", "prose"),
        Column("version", "Version"),
        Column("run", "Run"),
    )
    return Section(
        "snapshot",
        f"Snapshot {catalog.snapshot}",
        f"Published on {as_text(catalog.published_at.astimezone(CHICAGO), 'date')}. Every page shows this one state, "
        "whatever is loaded meanwhile. To see an older one, add as_of= with a day or the id of a snapshot to the "
        "address; chicago-crime snapshots lists them.",
        [
            "Source lines = crimes + rejected rows + unreadable lines (+ blank lines). Checks verify this: no year for "
            "which it does not hold is published."
        ],
        tables=[PageTable("years", "Where each year is from", columns, rows, is_open=True)],
    )


def _day(text: str) -> date:
    """The day in Chicago of a time in UTC."""
    return datetime.fromisoformat(text).astimezone(CHICAGO).date()


def _revisions(request: PageRequest) -> Section:
    """What changed when years were loaded again."""
    rows = [
        {
            "year": row["year"],
            "snapshot": row["snapshot"],
            "previous_snapshot": row["previous_snapshot"],
            "kind": KINDS[row["kind"]][0],
            "changes": row["changes"],
            "meaning": _meaning_of(row),
        }
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
    title = "Changes since the first load"
    if not rows:
        nothing = f"Nothing in {request.years_text} differs from what was loaded before."
        return Section("revisions", title, nothing, is_wide=False)
    changes, years = sum(row["changes"] for row in rows), len({row["year"] for row in rows})
    return Section(
        "revisions",
        title,
        f"{as_text(changes, 'count')} changes in {years} {'year' if years == 1 else 'years'}. Records are still "
        "added, corrected and reclassified years later. A snapshot is dated by its newest change.",
        ['For single crimes: chicago-crime query "from revisions"'],
        tables=[
            PageTable("revisions", "Changes by year, snapshot and kind", columns, rows, is_open=True),
            *_reclassified(request),
        ],
    )


def _reclassified(request: PageRequest) -> list[PageTable]:
    """From which type to which crimes were reclassified; no table if none was."""
    rows = request.data.answer("reclassified", {"years": request.years}).to_pylist()
    columns = (Column("change", "From and to"), Column("year", "Year"), Column("changes", "Crimes", "count"))
    return [PageTable("reclassified", "Reclassified, from what to what", columns, rows, is_open=True)] if rows else []


def _meaning_of(row: dict[str, Any]) -> str:
    if row["kind"] == "arrest_turned":
        without = row["changes"] - row["arrests"]
        return f"{as_text(row['arrests'], 'count')} now set, {as_text(without, 'count')} no longer set"
    return row["crimes"] or KINDS[row["kind"]][1]


def _rejects(request: PageRequest) -> Section:
    rows = [
        {"year": row["file_year"], "reason": row["reason"], "rows": row["row_count"]}
        for row in request.data.answer("rejects", {"years": request.years}).to_pylist()
    ]
    columns = (Column("year", "Year"), Column("reason", "Reason"), Column("rows", "Rows", "count"))
    intro = (
        f"{as_text(sum(row['rows'] for row in rows), 'count')} rows could not be converted to types."
        if rows
        else "No rows were rejected."
    )
    return Section(
        "rejects",
        "Rejected rows by reason",
        intro,
        tables=[PageTable("rejects", "Rejected rows", columns, rows, is_open=True)] if rows else [],
        is_wide=False,
    )


def _checks(request: PageRequest) -> Section:
    order = ("accepted", "warning", "passed")
    found = [
        (order.index(one.outcome), -year, one)
        for year in request.years
        for one in request.data.catalog.years[year].checks
    ]
    rows = [
        {"year": -year, "check": one.check, "result": one.outcome, "found": one.finding}
        for _, year, one in sorted(found, key=lambda item: (*item[:2], item[2].check))
    ]
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
        f"{len(rows)} checks of {request.years_text}: {counts['passed']} passed{others}. A check that fails keeps its "
        "year from being published; some a person may accept with a reason.",
        tables=[PageTable("checks", "Results, those that did not pass first", columns, rows, is_open=bool(others))],
    )
