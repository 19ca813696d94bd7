"""The page Compare: three spans against the year before and the mean of three years, laid out as CompStat does."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import charts
from chicago_crime.dashboard.page import Asked, NothingMatchesError
from chicago_crime.dashboard.view import Column, Figure, Section, Shown, View, change, columnar, write
from chicago_crime.tables.years import format_years

SPANS = {"days_28": "28 days", "year_to_date": "Year to date", "whole_year": "Whole year"}
YEARS_BACK = 3
MOST_DRAWN = 20
WHOLE_CITY = "Whole choice"


def compare(asked: Asked) -> View:
    """Make the page. The date chooses the years here, not the filter of years."""
    facts = asked.facts
    end = asked.filters.end or facts.newest_day
    if end.year not in facts.years or end > facts.newest_day:
        raise NothingMatchesError(
            f"{write(end, 'date')} is not loaded: the newest day is {write(facts.newest_day, 'date')}, and the years "
            f"loaded are {format_years(list(facts.years))}. Choose another end date."
        )
    years = [year for year in range(end.year - YEARS_BACK - 1, end.year + 1) if year in facts.years]
    found = asked.answer("compare", years, rows_are=asked.filters.rows, **spans_until(end, years)).to_pylist()
    asked.years = [end.year]
    asked.refuse_nothing(sum(row[span] for row in found for span in SPANS))
    counts: dict[str | None, dict[int, dict[str, int]]] = defaultdict(dict)
    for row in found:
        counts[row["row_name"]][row["years_back"]] = row
    loaded = {(span, back): _is_loaded(asked, end, back, span) for span in SPANS for back in range(YEARS_BACK + 1)}
    rows = [_row(asked, name, of_name, loaded) for name, of_name in counts.items()]
    rows.sort(key=lambda row: (-row["year_to_date"], row["name"]))
    everything = {
        back: {span: sum(of.get(back, {}).get(span, 0) for of in counts.values()) for span in SPANS}
        for back in range(YEARS_BACK + 1)
    }
    total = _row(asked, WHOLE_CITY, everything, loaded) | {"name": WHOLE_CITY}
    del total["link"]
    return View(
        "compare",
        "Compare",
        "How do the last weeks, the year so far and the last whole year compare with the years before?",
        sections=[_table(asked, [total, *rows], end), _chart(asked, rows, end)],
    )


def spans_until(end: date, years: Iterable[int]) -> dict[str, object]:
    """The parameters of `sql/pages/compare.sql` that say which days the spans have.

    The months in which a span begins or ends are read day by day; all others are in a span whole, or not at all.
    """
    ends = [_years_before(end, back) for back in range(YEARS_BACK + 1)]
    by_day = {day.replace(day=1) for last in ends for day in (last, last - timedelta(27))}
    months = [date(year, month, 1) for year in years for month in range(1, 13)]
    whole = [month for month in months if month not in by_day]
    return {"last_day": end, "months": sorted(by_day), "whole_months": whole}


def whole_year(end: date) -> int:
    """The last year that is over on a day."""
    return (end + timedelta(1)).year - 1


def _is_loaded(asked: Asked, end: date, back: int, span: str) -> bool:
    """Whether every day of a span is loaded: each year that it reaches into, as far as it reaches."""
    last, calendar_year = _years_before(end, back), whole_year(end) - back
    first, last = {
        "days_28": (last - timedelta(27), last),
        "year_to_date": (date(last.year, 1, 1), last),
        "whole_year": (date(calendar_year, 1, 1), date(calendar_year, 12, 31)),
    }[span]
    loaded = asked.facts.years
    return all(
        year in loaded and loaded[year].last_day >= min(last, date(year, 12, 31))
        for year in range(first.year, last.year + 1)
    )


def _years_before(day: date, years: int) -> date:
    """The same day of an earlier year; 28 February for the 29th where there is none."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _row(
    asked: Asked, name: str | None, counts: dict[int, dict[str, int]], loaded: dict[tuple[str, int], bool]
) -> dict[str, Any]:
    row: dict[str, Any] = {"name": _label(asked, name)}
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
    value = int(name) if name and asked.filters.rows != "type" and name.isdigit() else name
    return row | {"link": asked.toggled(asked.filters.rows, value) if name else asked.filters.query()}


def _label(asked: Asked, name: str | None) -> str:
    if asked.filters.rows == "area":
        return asked.area_name(int(name)) if name and name.isdigit() else "No community area"
    if asked.filters.rows == "district":
        return f"District {name}" if name else "No district"
    return name or "NOT GIVEN"


def _table(asked: Asked, rows: list[dict[str, Any]], end: date) -> Section:
    columns = [Column("name", {"area": "Area", "district": "District", "type": "Type"}[asked.filters.rows])]
    newest = {"days_28": end.year, "year_to_date": end.year, "whole_year": whole_year(end)}
    means = {span: rows[0][f"{span}_mean_years"] for span in SPANS}
    for span, label in SPANS.items():
        columns += [
            Column(span, str(newest[span]), "count", label),
            Column(f"{span}_before", str(newest[span] - 1), "count", label),
            Column(f"{span}_change", "± %", "growth", label, f"{span}_is_small"),
            Column(f"{span}_mean", f"{means[span] or YEARS_BACK}-yr mean", "mean", label, f"{span}_mean_is_few"),
            Column(f"{span}_mean_change", "± %", "growth", label, f"{span}_mean_is_small"),
            Column(f"{span}_mean_years", "Years in the mean", "plain", label, is_shown=False),
        ]
    caption = f"Three spans up to {write(end, 'date')}"
    return Section(
        "spans",
        f"Spans that end on {write(end, 'date')}",
        f"28 days from {write(end - timedelta(27), 'date')}; the year to date from 1 January; the last whole year, "
        f"{newest['whole_year']}. Each against the same days of the year before, and against the mean of the "
        f"{YEARS_BACK} years before.",
        [caveats.SMALL_NUMBERS, *_gaps(asked, means, newest), *caveats.provisional(asked.facts, [end.year])]
        + (caveats.labels(asked.facts, asked.filters) if asked.filters.rows == "type" else []),
        tables=[Shown("spans", caption, columns, rows, shown=200, is_open=True, has_total=True)],
        shape="wide",
    )


def _gaps(asked: Asked, means: dict[str, int], newest: dict[str, int]) -> list[str]:
    """What is not loaded of the years that a mean needs, and which means are over fewer years for it."""
    short = {span: years for span, years in means.items() if years < YEARS_BACK}
    if not short:
        return []
    first, last = min(newest.values()) - YEARS_BACK, max(newest.values())
    loaded = asked.facts.years
    part = [year for year in range(first, last) if year not in loaded or not loaded[year].is_whole]
    words = ", ".join(f"{SPANS[span].lower()} {years or 'none'}" for span, years in short.items())
    return [
        f"Grey, too: means of fewer than {YEARS_BACK} years ({words}), because {format_years(part)} "
        f"{'is' if len(part) == 1 else 'are'} not loaded to the end."
    ]


def _chart(asked: Asked, rows: list[dict[str, Any]], end: date) -> Section:
    drawn = [
        {
            "name": row["name"],
            "now": row["year_to_date"],
            "before": row["year_to_date_before"],
            "change": row["year_to_date"] - row["year_to_date_before"],
            "share": row["year_to_date_change"],
            "direction": "rose" if row["year_to_date_change"] > 0 else "fell",
        }
        for row in rows
        if row["year_to_date_change"] is not None and not row["year_to_date_is_small"]
    ]
    drawn = sorted(drawn[:MOST_DRAWN], key=lambda row: -row["share"])
    if not drawn:
        return Section(
            "changes", "Year to date, drawn", f"Nothing to draw: {end.year - 1} is not loaded or has too few crimes."
        )
    data = {"moved": columnar(drawn, "name", "change", "share", "now", "before", "direction")}
    return Section(
        "changes",
        "Year to date, drawn",
        f"The {len(drawn)} with most crimes, by change on the year before; small numbers are left out.",
        caveats.provisional(asked.facts, [end.year]),
        [
            Figure(
                "changes",
                "Bar chart of changes, year to date",
                charts.in_rows(charts.moved_by_share(), len(drawn)),
                data,
            )
        ],
        shape="wide",
    )
