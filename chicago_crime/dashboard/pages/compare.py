"""The page Compare: three periods against the year before and the mean of three years, in the style of CompStat."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import charts
from chicago_crime.dashboard.page_request import NothingMatchesError, PageRequest
from chicago_crime.dashboard.pages.overview import NO_TYPE
from chicago_crime.dashboard.view import Column, PageTable, Section, View, as_text, change
from chicago_crime.tables.years import format_years

SPANS = {"days_28": "28 days", "year_to_date": "Year to date", "whole_year": "Full year"}
YEARS_BACK = 3
MAX_DRAWN = 20
TOTAL = "All selected"


def compare(request: PageRequest) -> View:
    """Build the page. Its years follow from the end date, not from the filter of years."""
    facts = request.facts
    end = request.filters.end or facts.newest_day
    if end.year not in facts.years or end > facts.newest_day:
        raise NothingMatchesError(
            f"{as_text(end, 'date')} is not loaded. Choose another end date: "
            f"{format_years(list(facts.years))} are loaded, up to {as_text(facts.newest_day, 'date')}."
        )
    years = [year for year in range(end.year - YEARS_BACK - 1, end.year + 1) if year in facts.years]
    found = request.answer("compare", years, rows_are=request.filters.rows, **spans_until(end, years)).to_pylist()
    request.years = [end.year]
    request.require_matches(sum(row[span] for row in found for span in SPANS))
    counts: dict[str | None, dict[int, dict[str, int]]] = defaultdict(dict)
    for row in found:
        counts[row["row_name"]][row["years_back"]] = row
    loaded = {(span, back): _is_loaded(request, end, back, span) for span in SPANS for back in range(YEARS_BACK + 1)}
    rows = [_row(request, name, of_name, loaded) for name, of_name in counts.items()]
    rows.sort(key=lambda row: (-row["year_to_date"], row["name"]))
    everything = {
        back: {span: sum(of.get(back, {}).get(span, 0) for of in counts.values()) for span in SPANS}
        for back in range(YEARS_BACK + 1)
    }
    total = _row(request, TOTAL, everything, loaded) | {"name": TOTAL}
    del total["link"]
    return View(
        "How do the last four weeks, the year to date and the last full year compare with earlier years?",
        sections=[_table(request, rows, total, end), _chart(request, rows, end)],
    )


def spans_until(end: date, years: Iterable[int]) -> dict[str, object]:
    """The parameters of `sql/pages/compare.sql` that define the spans.

    Months in which a span begins or ends are read day by day; all others lie in a span entirely or not at all.
    """
    ends = [_years_before(end, back) for back in range(YEARS_BACK + 1)]
    by_day = {day.replace(day=1) for last in ends for day in (last, last - timedelta(27))}
    months = [date(year, month, 1) for year in years for month in range(1, 13)]
    whole = [month for month in months if month not in by_day]
    return {"last_day": end, "months": sorted(by_day), "whole_months": whole}


def whole_year(end: date) -> int:
    """The last year that has ended by a day."""
    return (end + timedelta(1)).year - 1


def _is_loaded(request: PageRequest, end: date, back: int, span: str) -> bool:
    """Whether every day of a span is loaded."""
    last, calendar_year = _years_before(end, back), whole_year(end) - back
    first, last = {
        "days_28": (last - timedelta(27), last),
        "year_to_date": (date(last.year, 1, 1), last),
        "whole_year": (date(calendar_year, 1, 1), date(calendar_year, 12, 31)),
    }[span]
    loaded = request.facts.years
    return all(
        year in loaded and loaded[year].last_day >= min(last, date(year, 12, 31))
        for year in range(first.year, last.year + 1)
    )


def _years_before(day: date, years: int) -> date:
    """The same day of an earlier year; 28 February in place of a missing 29 February."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _row(
    request: PageRequest, name: str | None, counts: dict[int, dict[str, int]], loaded: dict[tuple[str, int], bool]
) -> dict[str, Any]:
    row: dict[str, Any] = {"name": _label(request, name)}
    for span in SPANS:
        values = [counts.get(back, {}).get(span, 0) if loaded[span, back] else None for back in range(YEARS_BACK + 1)]
        now, before, past = values[0], values[1], [value for value in values[1:] if value is not None]
        mean = sum(past) / len(past) if past else None
        row |= {
            span: now,
            f"{span}_before": before,
            f"{span}_change": None if now is None else change(now, before),
            f"{span}_mean": mean,
            f"{span}_mean_years": len(past),
            f"{span}_mean_change": None if now is None else change(now, mean),
            f"{span}_is_small": (before or 0) < caveats.SMALL,
            f"{span}_mean_is_few": len(past) < YEARS_BACK,
            f"{span}_mean_is_small": len(past) < YEARS_BACK or (mean or 0) < caveats.SMALL,
        }
    value = int(name) if name and request.filters.rows != "type" and name.isdigit() else name
    return row | {"link": request.toggled(request.filters.rows, value) if name else request.filters.query()}


def _label(request: PageRequest, name: str | None) -> str:
    if request.filters.rows == "area":
        return request.area_name(int(name)) if name and name.isdigit() else "No community area"
    if request.filters.rows == "district":
        return f"District {name}" if name else "No district"
    return name or NO_TYPE


def _table(request: PageRequest, rows: list[dict[str, Any]], total: dict[str, Any], end: date) -> Section:
    columns = [Column("name", {"area": "Area", "district": "District", "type": "Type"}[request.filters.rows])]
    newest = {"days_28": end.year, "year_to_date": end.year, "whole_year": whole_year(end)}
    means = {span: total[f"{span}_mean_years"] for span in SPANS}
    for span, label in SPANS.items():
        columns += [
            Column(span, str(newest[span]), "count", label),
            Column(f"{span}_before", str(newest[span] - 1), "count", label),
            Column(f"{span}_change", "±\u00a0%", "growth", label, f"{span}_is_small"),
            Column(f"{span}_mean", f"{means[span] or YEARS_BACK}-yr mean", "mean", label, f"{span}_mean_is_few"),
            Column(f"{span}_mean_change", "±\u00a0%", "growth", label, f"{span}_mean_is_small"),
            Column(f"{span}_mean_years", "Years in the mean", "plain", label, is_shown=False),
        ]
    caption = f"Periods up to {as_text(end, 'date')}"
    return Section(
        "spans",
        f"Periods ending on {as_text(end, 'date')}",
        f"28 days from {as_text(end - timedelta(27), 'date')}; the year to date from 1 January; the last full year, "
        f"{newest['whole_year']}. Each is compared with the same days of the year before and with the mean of the "
        f"{YEARS_BACK} years before.",
        [caveats.SMALL_NUMBERS, *_gaps(request, means, newest), *caveats.provisional(request.facts, [end.year])]
        + (caveats.labels(request.facts, request.filters) if request.filters.rows == "type" else []),
        tables=[PageTable("spans", caption, columns, rows, shown=200, is_open=True, total=total)],
        shape="wide",
    )


def _gaps(request: PageRequest, means: dict[str, int], newest: dict[str, int]) -> list[str]:
    """Which means cover fewer years than they should, and why."""
    short = {span: years for span, years in means.items() if years < YEARS_BACK}
    if not short:
        return []
    first, last = min(newest.values()) - YEARS_BACK, max(newest.values())
    loaded = request.facts.years
    part = [year for year in range(first, last) if year not in loaded or not loaded[year].is_complete]
    words = ", ".join(f"{SPANS[span].lower()}: {years or 'none'}" for span, years in short.items())
    return [
        f"Also gray: means of fewer than {YEARS_BACK} years ({words}), because {format_years(part)} "
        f"{'is' if len(part) == 1 else 'are'} not fully loaded."
    ]


def _chart(request: PageRequest, rows: list[dict[str, Any]], end: date) -> Section:
    drawn = [
        {
            "name": row["name"],
            "now": row["year_to_date"],
            "before": row["year_to_date_before"],
            "change": row["year_to_date"] - row["year_to_date_before"],
            "share": row["year_to_date_change"],
        }
        for row in rows
        if row["year_to_date_change"] is not None and not row["year_to_date_is_small"]
    ]
    drawn = sorted(drawn[:MAX_DRAWN], key=lambda row: -row["share"])
    if not drawn:
        return Section(
            "changes",
            "Change in the year to date",
            f"Nothing to show: {end.year - 1} is not loaded or has too few crimes.",
        )
    return Section(
        "changes",
        "Change in the year to date",
        f"The {len(drawn)} rows with the most crimes, by change on the year before, without small numbers.",
        caveats.provisional(request.facts, [end.year]),
        [charts.moved_by_share("changes", "Bar chart of changes in the year to date", drawn)],
        shape="wide",
    )
