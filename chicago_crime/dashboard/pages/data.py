"""The page Data: what is loaded, what was left out, and how far the numbers can be trusted."""

from typing import Any

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import charts
from chicago_crime.dashboard.page import Asked
from chicago_crime.dashboard.pages.data_changes import labels, revisions
from chicago_crime.dashboard.pages.when import MONTHS
from chicago_crime.dashboard.view import Column, Figure, Number, Section, Shown, View, columnar, share, write
from chicago_crime.tables import CRIMES, TABLES
from chicago_crime.tables.years import format_years

LAYERS = {
    "source_lines": ("Source", "lines"),
    "quarantined": ("Source", "not rows"),
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
"""How the table of layers names each of them: above several columns, and above its own. A download has the tables'."""


def data_page(asked: Asked) -> View:
    """Make the page. Filters of rows have no say here, only the years."""
    facts = asked.facts
    manifests = asked.data.manifests()
    sources = sorted({manifests[year].source for year in asked.years if year in manifests})
    newest = facts.years[asked.newest].last_day
    return View(
        "data",
        "Data",
        "What is loaded, what was left out, and how complete is it?",
        numbers=[
            Number("Years loaded", str(len(facts.years)), f"shown: {asked.in_years}"),
            Number(
                "Rows", write(sum(facts.years[year].crimes for year in asked.years), "count"), f"in {asked.in_years}"
            ),
            Number("Newest day", f"{newest.day} {newest:%b %Y}", "", " ".join(caveats.provisional(facts, asked.years))),
            Number("Source", ", ".join(sources) or "not known", "; ".join(_origins(asked))),
        ],
        sections=[
            _layers(asked),
            revisions(asked),
            _coverage(asked),
            _rejects(asked),
            _checks(asked),
            labels(asked),
            _nulls(asked),
        ],
    )


def _origins(asked: Asked) -> list[str]:
    made_up = caveats.made_up(asked.facts)
    return [f"SYNTHETIC: {made_up}"] if made_up else []


def _layers(asked: Asked) -> Section:
    stored = asked.data.stored()
    manifests = asked.data.manifests()
    rows = []
    for year in asked.years:
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
    incomplete = asked.facts.incomplete
    left_out = f"Not shown, because a table lacks them: {', '.join(map(str, incomplete))} (chicago-crime status)."
    return Section(
        "layers",
        "Rows per year and layer",
        "Lines of the source = raw rows + lines that are no rows (+ blank lines); raw = typed + rejected; enriched = "
        "typed. Checks prove it in every run, and stop the run where it does not hold.",
        [left_out] if incomplete else [],
        tables=[Shown("layers", "Rows per year and layer", columns, rows, is_open=True)],
        shape="wide",
    )


def _rejects(asked: Asked) -> Section:
    found = asked.data.answer("rejects", {}).to_pylist() if asked.data.stored()["rejected_crimes"] else []
    rows = [
        {"year": row["file_year"], "reason": row["reason"], "rows": row["row_count"]}
        for row in sorted(found, key=lambda row: (row["file_year"], row["reason"]))
        if row["file_year"] in asked.years
    ]
    columns = (Column("year", "Year", "plain"), Column("reason", "Reason"), Column("rows", "Rows", "count"))
    says = (
        f"{write(sum(row['rows'] for row in rows), 'count')} rows could not be typed."
        if rows
        else "No row was rejected."
    )
    return Section(
        "rejects",
        "Rejected rows by reason",
        says,
        tables=[Shown("rejects", "Rejected rows", columns, rows, is_open=True)] if rows else [],
    )


def _coverage(asked: Asked) -> Section:
    by_month = {
        row["month"]: row["crimes"] for row in asked.data.answer("coverage", {"years": asked.years}).to_pylist()
    }
    rows = [
        {"year": month.year, "month_name": MONTHS[month.month - 1], "month": month, "crimes": crimes}
        for month, crimes in sorted(by_month.items())
    ]
    columns = (Column("month", "Month", "month"), Column("crimes", "Crimes", "count"))
    return Section(
        "coverage",
        "Coverage by month",
        "Every month with a crime, whatever is filtered by.",
        caveats.partial(asked.facts, asked.years),
        [
            Figure(
                "coverage",
                "Heat map of crimes loaded by month and year",
                charts.in_rows(charts.months(), len(asked.years)),
                {"months": columnar(rows, "year", "month_name", "crimes")},
            )
        ],
        [Shown("coverage", "Crimes loaded by month", columns, rows, shown=400)],
    )


def _checks(asked: Asked) -> Section:
    words = {True: "passed", False: "failed", None: "running"}
    rows = [
        {
            "check": f"{one.asset}: {one.check}",
            "result": words[one.passed] if one.is_error or one.passed is not False else "wants a look",
            "at": one.at,
            "found": one.found,
        }
        for one in asked.data.checks()
    ]
    passed = sum(row["result"] == "passed" for row in rows)
    columns = (
        Column("check", "Check"),
        Column("result", "Result"),
        Column("at", "When", "date"),
        Column("found", "What it found", "prose"),
    )
    return Section(
        "checks",
        "Checks",
        f"{passed} of {len(rows)} checks passed in the newest run of each." if rows else "No check has run yet.",
        tables=[Shown("checks", "The newest result of every check", columns, rows)] if rows else [],
    )


def _nulls(asked: Asked) -> Section:
    held, counted = asked.data.stored()[CRIMES.name], asked.data.nulls()
    years = [year for year in asked.years if year in counted]
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
        Column("nulls", "Without a value", "count"),
        Column("share", "Share", "percent"),
        Column("worst_share", "Worst year", "percent"),
        Column("worst_year", "", "plain"),
        Column("meaning", "Meaning", "prose"),
    )
    return Section(
        "nulls",
        "Values that are missing",
        "Columns of crimes that may be without a value, as counted when the years were loaded.",
        _not_counted([year for year in asked.years if year in held and year not in counted]),
        tables=[Shown("nulls", "Rows without a value, by column", columns, rows, is_open=True)] if rows else [],
        shape="wide",
    )


def _not_counted(years: list[int]) -> list[str]:
    if not years:
        return []
    counts = ", ".join(f"COUNTIF({c.name} IS NULL) AS {c.name}" for c in CRIMES.columns if c.nullable)
    newest = f"month BETWEEN '{years[-1]}-01-01' AND '{years[-1]}-12-31'"
    return [
        f"Dagster's records here have no count of {format_years(years)}: other records have it, or an older version of "
        f'this package loaded it. To count, e.g. chicago-crime query "SELECT {counts} FROM crimes WHERE {newest}"'
    ]
