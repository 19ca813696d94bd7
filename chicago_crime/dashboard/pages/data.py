"""The page Data: what is loaded, what was excluded or changed, and what the checks found."""

from collections import Counter, defaultdict
from typing import Any

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import charts
from chicago_crime.dashboard.data import OUTCOMES
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.when import MONTHS
from chicago_crime.dashboard.view import SYNTHETIC, Column, Number, PageTable, Section, View, as_text, share
from chicago_crime.tables import CRIMES, REVISIONS, TABLES
from chicago_crime.tables.years import format_years

LAYERS = {
    "source_lines": ("Source", "lines"),
    "quarantined": ("Source", "quarantined"),
    "raw_crimes": ("Crimes", "raw"),
    "crimes": ("Crimes", "typed"),
    "rejected_crimes": ("Crimes", "rejected"),
    "revisions": ("Crimes", "revised"),
    "enriched_crimes": ("Crimes", "enriched"),
    "crime_type_count": ("Counts by", "type"),
    "crimes_daily": ("Counts by", "day"),
    "hot_spots": ("Counts by", "hot spot"),
    "crimes_monthly": ("Counts by", "month"),
    "crimes_hourly": ("Counts by", "hour"),
    "crimes_by_cell": ("Counts by", "cell"),
    "area_rates": ("Counts by", "area"),
}
"""The column group and header of each layer on the page. Downloads use the names of the tables."""

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
    """Build the page. Of the filters, only years apply to it."""
    facts = request.facts
    manifests = request.data.manifests()
    sources = sorted({manifests[year].source for year in request.years if year in manifests})
    newest = facts.years[request.newest_year].last_day
    synthetic = caveats.synthetic_years(facts)
    return View(
        "What is loaded, what was excluded, and how complete is it?",
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
            Number("Source", ", ".join(sources) or "unknown", f"{SYNTHETIC}: {synthetic}" if synthetic else ""),
        ],
        sections=[
            _layers(request),
            _coverage(request),
            _rejects(request),
            _revisions(request),
            _checks(request),
            _labels(request),
            _nulls(request),
        ],
    )


def _layers(request: PageRequest) -> Section:
    stored = request.data.stored()
    manifests = request.data.manifests()
    rows = []
    for year in request.years:
        manifest = manifests.get(year)
        row = {"year": year, "source_lines": manifest.lines if manifest else None}
        row["quarantined"] = manifest.quarantined if manifest else None
        for name in TABLES:
            held = stored[name].get(year)
            row[name] = held.rows if held else None
        rows.append(row)
    layers = {name: LAYERS.get(name, ("", name)) for name in ("source_lines", "quarantined", *TABLES)}
    columns = (
        Column("year", "Year", "plain"),
        *(Column(name, label, "count", group) for name, (group, label) in layers.items()),
    )
    incomplete = request.facts.incomplete
    incomplete_note = (
        f"Not shown, as some tables lack them: {', '.join(map(str, incomplete))}. For details: chicago-crime status"
    )
    return Section(
        "layers",
        "Rows by year and layer",
        "Source lines = raw rows + quarantined lines (+ blank lines); raw = typed + rejected; enriched = typed. Checks "
        "verify this in every run, and stop the run if it does not hold.",
        [incomplete_note] if incomplete else [],
        tables=[PageTable("layers", "Rows by year and layer", columns, rows, is_open=True)],
        shape="wide",
    )


def _revisions(request: PageRequest) -> Section:
    """What changed when years were loaded again."""
    stored = request.data.stored()[REVISIONS.name]
    found = request.data.answer("revisions", {"years": request.years}).to_pylist() if stored else []
    order = list(KINDS)
    rows = [
        {
            "year": row["year"],
            "snapshot": row["snapshot"],
            "previous_snapshot": row["previous_snapshot"],
            "kind": KINDS[row["kind"]][0],
            "changes": row["changes"],
            "meaning": _meaning_of(row),
        }
        for row in sorted(found, key=lambda row: (-row["year"], row["snapshot"], order.index(row["kind"])))
    ]
    columns = (
        Column("year", "Year", "plain"),
        Column("previous_snapshot", "From data as of", "date"),
        Column("snapshot", "To data as of", "date"),
        Column("kind", "Change"),
        Column("changes", "Crimes", "count"),
        Column("meaning", "Meaning", "prose"),
    )
    title = "Changes since the first load"
    if not rows:
        return Section("revisions", title, f"Nothing in {request.years_text} differs from what was loaded before.")
    changes, years = sum(row["changes"] for row in rows), len({row["year"] for row in rows})
    return Section(
        "revisions",
        title,
        f"{as_text(changes, 'count')} changes in {years} {'year' if years == 1 else 'years'}. Records are still "
        "added, corrected and reclassified years later. A snapshot is dated by its newest change.",
        ['For single crimes: chicago-crime query "from revisions"'],
        tables=[PageTable("revisions", "Changes by year, snapshot and kind", columns, rows, is_open=True)],
        shape="wide",
    )


def _meaning_of(row: dict[str, Any]) -> str:
    if row["kind"] == "arrest_turned":
        without = row["changes"] - row["arrests"]
        return f"{as_text(row['arrests'], 'count')} now set, {as_text(without, 'count')} no longer set"
    return row["crimes"] or KINDS[row["kind"]][1]


def _labels(request: PageRequest) -> Section:
    """The source's labels of types, and the one label that each has for all years."""
    together: dict[str, dict[str, int]] = defaultdict(dict)
    for row in request.data.answer("choices", {}).to_pylist():
        if row["primary_type"]:
            together[row["primary_type_comparable"]][row["primary_type"]] = row["crimes"]
    rows: list[dict[str, Any]] = [
        {"comparable": comparable, "source": source, "crimes": crimes, "is_merged": source != comparable}
        for comparable, of_source in sorted(together.items())
        for source, crimes in sorted(of_source.items(), key=lambda item: -item[1])
    ]
    columns = (
        Column("source", "Source label"),
        Column("comparable", "Label for all years"),
        Column("crimes", "Crimes, all years", "count"),
    )
    merged = sum(row["is_merged"] for row in rows)
    return Section(
        "labels",
        "Type labels",
        f"{merged} of the source's {len(rows)} labels are merged into another one, so that trends do not break."
        if merged
        else "No label of the source is merged in these years.",
        tables=[PageTable("labels", "Source labels and labels for all years", columns, rows, shown=200)],
    )


def _rejects(request: PageRequest) -> Section:
    found = request.data.answer("rejects", {}).to_pylist() if request.data.stored()["rejected_crimes"] else []
    rows = [
        {"year": row["file_year"], "reason": row["reason"], "rows": row["row_count"]}
        for row in sorted(found, key=lambda row: (row["file_year"], row["reason"]))
        if row["file_year"] in request.years
    ]
    columns = (Column("year", "Year", "plain"), Column("reason", "Reason"), Column("rows", "Rows", "count"))
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
    )


def _coverage(request: PageRequest) -> Section:
    by_month = {
        row["month"]: row["crimes"] for row in request.data.answer("coverage", {"years": request.years}).to_pylist()
    }
    rows = [
        {"year": month.year, "month_name": MONTHS[month.month - 1], "month": month, "crimes": crimes}
        for month, crimes in sorted(by_month.items())
    ]
    columns = (Column("month", "Month", "month"), Column("crimes", "Crimes", "count"))
    return Section(
        "coverage",
        "Coverage by month",
        "All crimes loaded, by month.",
        caveats.partial(request.facts, request.years),
        [charts.months("coverage", "Heat map of crimes loaded by month and year", rows)],
        [PageTable("coverage", "Crimes loaded by month", columns, rows, shown=400)],
        shape="tall",
    )


def _checks(request: PageRequest) -> Section:
    rows = [
        {"check": f"{one.asset}: {one.check}", "result": one.outcome, "at": one.at, "found": one.description}
        for one in request.data.check_results()
    ]
    counts = Counter(row["result"] for row in rows)
    others = "".join(
        f", {counts[outcome]} {outcome}" for outcome in OUTCOMES if counts[outcome] and outcome != "passed"
    )
    columns = (
        Column("check", "Check"),
        Column("result", "Result"),
        Column("at", "When", "date"),
        Column("found", "Finding", "prose"),
    )
    return Section(
        "checks",
        "Checks",
        f"Newest results of {len(rows)} checks: {counts['passed']} passed{others}."
        if rows
        else "No checks have run yet.",
        tables=[PageTable("checks", "Newest result of every check", columns, rows)] if rows else [],
    )


def _nulls(request: PageRequest) -> Section:
    held, counted = request.data.stored()[CRIMES.name], request.data.nulls()
    years = [year for year in request.years if year in counted]
    unknown = [year for year in request.years if year in held and year not in counted]
    crimes = sum(held[year].rows for year in years)
    rows: list[dict[str, Any]] = []
    for column in (column for column in CRIMES.columns if column.nullable and years):
        nulls = sum(counted[year][column.name] for year in years)
        worst = max((share(counted[year][column.name], held[year].rows) or 0.0, year) for year in years)
        rows.append(
            {
                "column": column.name,
                "meaning": column.description,
                "nulls": nulls,
                "share": share(nulls, crimes),
                "worst_share": worst[0],
                "worst_year": worst[1] if worst[0] else None,
            }
        )
    rows.sort(key=lambda row: (-row["nulls"], row["column"]))
    columns = (
        Column("column", "Column"),
        Column("nulls", "Missing", "count"),
        Column("share", "Share", "percent"),
        Column("worst_share", "Worst year", "percent"),
        Column("worst_year", "", "plain"),
        Column("meaning", "Meaning", "prose"),
    )
    return Section(
        "nulls",
        "Missing values",
        "Nullable columns of crimes, as counted when the years were loaded.",
        [
            f"No counts for {format_years(unknown)} in Dagster's records here: another machine or an older version of "
            f"this package loaded it. To count: chicago-crime run --years {format_years(unknown)} --assets crimes"
        ]
        if unknown
        else [],
        tables=[PageTable("nulls", "Rows with a missing value, by column", columns, rows, is_open=True)]
        if rows
        else [],
        shape="wide",
    )
