"""The page Compare: three periods against the previous year, in the style of CompStat, and all years."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import chain, product
from typing import Any

import numpy as np

from chicago_crime.analysis.expected import MAX_AGE_YEARS, MAX_YEARS, OTHER_OFFENSES, SAME_OFFENSE, expected
from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.data import Facts
from chicago_crime.dashboard.filters import VALUES
from chicago_crime.dashboard.page_request import NO_TYPE, NothingMatchesError, PageRequest
from chicago_crime.dashboard.view import Column, PageTable, Section, View, as_text, change, days_text, share
from chicago_crime.tables.years import FIRST_YEAR, format_years

SPANS = {"days_28": "28 days", "year_to_date": "Year to date", "whole_year": "Full year"}
TOTAL = "All selected"
SMALLEST_FIRST = ("beat", "area", "ward", "district")

ALONE = "A single row says little about how counts vary: verdicts are more reliable without the filter that selects it."

Backs = Mapping[str, Mapping[int, bool]]
"""Span -> how many years back all of its days are loaded -> whether places had the same boundaries."""


def compare(request: PageRequest) -> View:
    """Build the page. Its years depend on the end date, not on the year filter."""
    facts = request.facts
    end = request.filters.end or request.default_end
    if not is_loaded(facts, end, 0, "year_to_date"):
        raise NothingMatchesError(
            f"{as_text(end, 'date')} is not loaded. Choose another end date: "
            f"{format_years(list(facts.years))} are loaded, through {as_text(facts.newest_day, 'date')}."
        )
    spans = spans_of(end)
    backs = {span: loaded_backs(facts, end, span) for span in spans}
    years = {year for span, loaded in backs.items() for year in years_of([span], end, loaded)}
    period = {"last_day": end, "years_back": sorted({*chain(*backs.values())}), "start": None, "finish": None}
    found = request.answer("compare", years, place=request.filters.rows, **period).to_pylist()
    request.years, request.last_day = [end.year], end
    request.note_unused(VALUES.keys() - {"start", "finish"})
    compared = [*years_of(spans, end, (0, 1)), *request.filters.year]
    request.notes += request.not_loaded(year for year in compared if year >= FIRST_YEAR)
    request.require_matches(sum(row[span] for row in found for span in spans))
    counts: dict[str | None, dict[int, dict[str, int]]] = defaultdict(dict)
    totals: dict[int, Counter[str]] = defaultdict(Counter)
    for row in found:
        counts[row["row_name"]][row["years_back"]] = row
        totals[row["years_back"]].update({span: row[span] for span in spans})
    comparable = _comparable(request, end, backs, request.filters.rows)
    rows = [
        {"name": _label(request, name), "link": _link(request, name)}
        | _counts(by_back, comparable)
        | (_incidents(request, end, **_chosen(request, name)) if name else {})  # no filter selects unknown places
        for name, by_back in counts.items()
    ]
    rows.sort(key=lambda row: (-row["year_to_date"], row["name"]))
    total = {"name": TOTAL} | _counts(totals, _comparable(request, end, backs)) | _incidents(request, end)
    _add_verdicts([*rows, total], spans, OTHER_OFFENSES if request.filters.rows == "type" else SAME_OFFENSE)
    if request.download == "by-year":
        request.years, request.last_day = [*facts.years], facts.newest_day
    return View(
        "How do the latest four weeks, the year to date and the last full year compare with earlier years?",
        sections=[_table(request, rows, total, end, comparable), _by_year(request)],
    )


def spans_of(end: date) -> dict[str, str]:
    """Return the spans that end on a day, with labels. On December 31, the year to date is the full year."""
    if whole_year(end) == end.year:
        return {"days_28": SPANS["days_28"], "year_to_date": SPANS["whole_year"]}
    return SPANS


def whole_year(end: date) -> int:
    """Return the last year that is complete by a day."""
    return (end + timedelta(1)).year - 1


def days_of(span: str, end: date, back: int) -> tuple[date, date]:
    """Return the first and last day of a span that ends on a day, shifted back by some years."""
    last, calendar_year = _years_before(end, back), whole_year(end) - back
    return {
        "days_28": (last - timedelta(27), last),
        "year_to_date": (date(last.year, 1, 1), last),
        "whole_year": (date(calendar_year, 1, 1), date(calendar_year, 12, 31)),
    }[span]


def years_of(spans: Iterable[str], end: date, backs: Iterable[int]) -> set[int]:
    """Return the years of all spans that end on a day, shifted back by some years."""
    return {day.year for span, back in product(spans, backs) for day in days_of(span, end, back)}


def is_loaded(facts: Facts, end: date, back: int, span: str) -> bool:
    """Whether every day of a span is loaded."""
    first, last = days_of(span, end, back)
    loaded = facts.years
    return all(
        year in loaded and loaded[year].last_day >= min(last, date(year, 12, 31))
        for year in range(first.year, last.year + 1)
    )


def loaded_backs(facts: Facts, end: date, span: str) -> list[int]:
    """List how many years back all days of a span are loaded: 0 (if loaded) and the newest earlier years."""
    found = [back for back in range(MAX_AGE_YEARS + 1) if is_loaded(facts, end, back, span)]
    return found[: MAX_YEARS + (0 in found)]


def _comparable(request: PageRequest, end: date, backs: Mapping[str, Sequence[int]], *shown: str) -> Backs:
    def is_comparable(span: str, back: int) -> bool:
        return not back or not caveats.incomparable(request, years_of([span], end, (back, 0)), *shown)

    return {span: {back: is_comparable(span, back) for back in loaded} for span, loaded in backs.items()}


def _years_before(day: date, years: int) -> date:
    """Return the same day of an earlier year; February 28 replaces a missing February 29."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def _counts(counts: Mapping[int, Mapping[str, int]], backs: Backs) -> dict[str, Any]:
    """Build the cells of a row or the total for each span."""
    found: dict[str, Any] = {}
    for span, loaded in backs.items():
        values: dict[int, float] = {back: counts.get(back, {}).get(span, 0) for back in loaded}
        now, before = values.pop(0, None), values.get(1)
        found |= {
            span: now,
            f"{span}_before": before,
            f"{span}_change": change(now, before) if now is not None and loaded.get(1) else None,
            f"{span}_is_small": (before or 0) < caveats.SMALL,
            f"{span}_earlier": [value if loaded[back] else math.nan for back, value in values.items()],
        }
    return found


def _incidents(request: PageRequest, end: date, **chosen: object) -> dict[str, str]:
    """Link each count of a row, and of the year before, to its incidents."""
    return {
        f"of_{column}": request.incidents(year=(), start=first, finish=last, **chosen)
        for span in spans_of(end)
        for column, back in ((span, 0), (f"{span}_before", 1))
        for first, last in [days_of(span, end, back)]
    }


def _link(request: PageRequest, name: str | int | None) -> str:
    chosen = _chosen(request, name)
    return request.toggled(*chosen.popitem()) if chosen else request.filters.query()


def _chosen(request: PageRequest, name: str | int | None) -> dict[str, Any]:
    """Return the filter that selects a row, and its value; none for the row of unknown places."""
    by = request.filters.rows
    return {by: name if by == "type" else int(name)} if name else {}


def _add_verdicts(rows: Sequence[dict[str, Any]], spans: Iterable[str], worth: int) -> None:
    """Add a verdict for each count, testing all rows together. The last row is the total."""
    for span in spans:
        now = np.array([row[span] for row in rows], dtype=float)  # None becomes NaN
        found = expected([row[f"{span}_earlier"] for row in rows], now, worth, totals=1)
        for row, (low, high), verdict in zip(rows, found.ranges(), found.verdicts(), strict=True):
            row |= {f"{span}_low": low, f"{span}_high": high, f"{span}_verdict": verdict}


def _label(request: PageRequest, name: str | int | None) -> str:
    by = request.filters.rows
    if by == "type":
        return str(name or NO_TYPE)
    if not name:
        return request.area_name(None) if by == "area" else f"No {by}"
    place, others = request.filter_label(by, name), {*SMALLEST_FIRST} - {by}
    parts = [request.filter_label(kind, number) for kind, number in request.filters.active() if kind in others]
    if not parts:
        return place
    if len(parts) > 2:
        return f"{place} in the chosen places"
    has_smaller = any(getattr(request.filters, kind) for kind in SMALLEST_FIRST[: SMALLEST_FIRST.index(by)])
    return f"{' and '.join(parts)} in {place}" if has_smaller else f"{place} in {' and '.join(parts)}"


def _table(request: PageRequest, rows: list[dict[str, Any]], total: dict[str, Any], end: date, backs: Backs) -> Section:
    columns = [Column("name", request.filters.rows.capitalize(), "type")]
    is_tested = {span: any(row[f"{span}_verdict"] for row in (*rows, total)) for span in backs}
    spans = {span: (label, days_of(span, end, 0)) for span, label in spans_of(end).items()}
    is_provisional = end >= (request.facts.years[end.year].provisional_from or date.max)
    for span, (label, (_, last)) in spans.items():
        label += ", provisional" if last == end and is_provisional else ""
        column, has_before = partial(Column, group=label), 1 in backs[span]
        columns += [
            column(span, str(last.year), "count", incidents=f"of_{span}"),
            column(f"{span}_before", str(last.year - 1), "count", is_shown=has_before, incidents=f"of_{span}_before"),
            column(f"{span}_change", "% change", "growth", is_shown=has_before, is_small=f"{span}_is_small"),
            column(f"{span}_low", "Expected from", "count", is_shown=is_tested[span] and not has_before),
            column(f"{span}_high", "Expected to", "count", is_shown=is_tested[span] and not has_before),
            column(f"{span}_verdict", "Verdict", is_shown=is_tested[span]),
        ]
    days = "; ".join(
        f"{label}: {days_text(*days)}" + (f", compared with {_before(span, end)}" if 1 in backs[span] else "")
        for span, (label, days) in spans.items()
    )
    years = {end.year - back: is_alike for back, is_alike in backs["year_to_date"].items()}
    tested = [year for year, is_alike in years.items() if is_alike and year < end.year]
    about_verdicts = [
        f"Verdicts compare a count with the range expected from the same days of earlier years, as on Signals "
        f"({spans['year_to_date'][0].lower()}: {format_years(sorted(tested)) or 'none'}).",
        caveats.NO_VERDICT,
        *([ALONE] if len(rows) == 1 else []),
    ]
    return Section(
        "spans",
        f"Periods ending {as_text(end, 'date')}",
        f"{days}.",
        [
            *(about_verdicts if any(is_tested.values()) else []),
            *caveats.incomparable(request, years, request.filters.rows),
            *caveats.tested(row["year_to_date_verdict"] for row in rows),
            *([caveats.SMALL_NUMBERS] if any(1 in loaded for loaded in backs.values()) else []),
            *request.reworded(request.facts.years),
            *caveats.on_records(request),
            *(caveats.still_growing(request) if is_provisional else []),
            *([caveats.LABELS] if request.filters.rows == "type" else []),
        ],
        tables=[PageTable("spans", f"Counts by {request.filters.rows}", columns, rows, shown=200, total=total)],
        link=caveats.HOW_TESTED if any(is_tested.values()) else None,
    )


def _before(span: str, end: date) -> str:
    """Name the days of the year before, and a leap day that only one of the years has."""
    now, before = (days_of(span, end, back) for back in (0, 1))
    leap_day = caveats.leap_day(now, before)
    return f"{days_text(*before)}{leap_day and f' ({leap_day})'}"


def _by_year(request: PageRequest) -> Section:
    loaded = request.facts.years
    place = request.filters.rows
    statement, row_name = ("totals", "type") if place == "type" else ("places", "place")
    counts: dict[str | int | None, Counter[int]] = defaultdict(Counter)
    for row in request.answer(statement, loaded, place=place, start=None, finish=None).to_pylist():
        counts[row[row_name]][row["year"]] += row["crimes"]
    columns = [Column("name", request.filters.rows.capitalize(), "type"), *caveats.year_columns(request.facts, loaded)]
    rows = [
        {"name": _label(request, name), "link": _link(request, name)}
        | request.by_year(by_year, loaded, _chosen(request, name) if name else None)
        for name, by_year in counts.items()
    ]
    rows.sort(key=lambda row: (-row[str(max(loaded))], row["name"]))
    total = {"name": TOTAL} | request.by_year(sum(counts.values(), Counter[int]()), loaded, {})
    return Section(
        "by-year",
        "By year",
        f"{_within_districts(request)}All loaded years, regardless of the end date.",
        [
            *caveats.incomparable(request, loaded, request.filters.rows),
            *request.reworded(loaded),
            *caveats.drifting(request, loaded),
        ],
        tables=[PageTable("by-year", "Crimes by year", columns, rows, shown=300, total=total)],
    )


def _within_districts(request: PageRequest) -> str:
    """State each chosen beat's share of its district's crimes in the year of the end date."""
    filters, sentences = replace(request.filters, start=None, finish=None), []
    for beat in filters.beat:
        on_beat = replace(request, filters=replace(filters, beat=(beat,)))
        found = on_beat.answer("places", request.years, place="district").to_pylist()
        if not found or not (district := max(found, key=lambda row: row["crimes"])["place"]):
            continue
        on_district = replace(request, filters=replace(filters, beat=(), district=(district,)))
        crimes = sum(row["crimes"] for row in found)
        all_crimes = sum(counts["crimes"] for counts in on_district.totals("year", request.years).values())
        matching = "matching " if {name for name, _ in request.applied} > {"beat"} else ""
        sentences.append(
            f"In {request.years_text}, Beat {beat} had {crimes:,} of the {all_crimes:,} {matching}crimes in District "
            f"{district} ({as_text(share(crimes, all_crimes), 'percent')}). "
        )
    return "".join(sentences)
