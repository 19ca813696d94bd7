"""The page Overview: totals, trend, offense groups and types."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from chicago_crime.analysis.expected import MAX_AGE_YEARS, MAX_YEARS, MIN_YEARS, expected
from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import charts
from chicago_crime.dashboard.data import last_of_month
from chicago_crime.dashboard.page_request import NO_TYPE, PageRequest
from chicago_crime.dashboard.view import (
    CRIMES,
    Column,
    Number,
    PageTable,
    Section,
    View,
    arrest_rate,
    arrests_number,
    as_text,
    change,
    crimes_text,
    rate_unit,
    share,
)
from chicago_crime.reference import offense_groups

MAX_RANKED = 24
MONTHS = (
    Column("month", "Month", "month"),
    CRIMES,
    Column("low", "Expected from", "count"),
    Column("high", "Expected to", "count"),
    Column("verdict", "Verdict"),
)
NO_VICTIMS = "The records do not list victims, so no group counts people who were shot."


def overview(request: PageRequest) -> View:
    """Build the page."""
    by_type, total = request.matching("type")
    before = _earlier_years(request)
    earlier = {year for years in before.values() for year in years} - {*request.years}
    by_month = Counter(
        {month: of["crimes"] for part in (None, earlier) for month, of in request.totals("month", part).items()}
    )
    return View(
        "How much crime is reported, what kind, and is it rising or falling?",
        numbers=_numbers(request, total, by_month),
        sections=[_trend(request, by_month, before), _groups(request), _types(request, by_type, total["crimes"])],
    )


def _earlier_years(request: PageRequest) -> dict[int, list[int]]:
    """Map each year to the years it is compared with; none if dates are chosen."""
    known = [] if request.filters.has_dates else sorted(request.facts.years)

    def is_comparable(year: int, earlier: int) -> bool:
        return year - MAX_AGE_YEARS <= earlier < year and not caveats.incomparable(request, (earlier, year))

    return {year: [one for one in known if is_comparable(year, one)][-MAX_YEARS:] for year in request.years}


def _compared_months(request: PageRequest) -> tuple[int, str]:
    """Return the number of months complete in the newest year and the one before, or why there is no comparison."""
    if request.filters.has_dates:
        return 0, "not compared while dates are selected"
    loaded, year = request.facts.years, request.newest_year
    if year - 1 not in loaded:
        return 0, f"{year - 1} is not loaded"
    if reasons := caveats.incomparable(request, (year - 1, year)):
        return 0, " ".join(reasons)
    months, shorter = min((loaded[one].complete_months, one) for one in (year, year - 1))
    return months, f"{shorter} has no complete month yet"


def _year_on_year(request: PageRequest, by_month: Counter[date]) -> Number:
    label, newest = "Year over year", request.newest_year
    compared, reason = _compared_months(request)
    if not compared:
        return Number(label, as_text(None, "percent_change"), reason)
    now, before = (
        sum(by_month[date(year, month, 1)] for month in range(1, compared + 1)) for year in (newest, newest - 1)
    )
    months = {12: "", 1: ", January"}.get(compared, f", January to {date(2000, compared, 1):%B}")
    spans = [(date(year, 1, 1), last_of_month(date(year, compared, 1))) for year in (newest, newest - 1)]
    leap_day = caveats.leap_day(*spans)
    change_text = crimes_text(now - before, "change")
    detail = f"{newest} compared with {newest - 1}{months}: {change_text}{leap_day and f'; {leap_day}'}"
    return Number(label, as_text(change(now, before), "percent_change"), detail, " ".join(caveats.few(before)))


def _numbers(request: PageRequest, total: Counter[str], by_month: Counter[date]) -> list[Number]:
    residents = request.resident_years(request.filters.area)
    unit, unknown = rate_unit(total["crimes"], residents), caveats.no_rates(request)
    rate = None if unknown else share(unit * total["crimes"], residents)
    few = [area for area in request.filters.area if request.has_few_residents(area)]
    names = " and ".join(request.area_name(area) for area in few)
    about_total = [*caveats.on_records(request), *caveats.incomparable(request, request.years)]
    extrapolated = ", extrapolated" if caveats.is_extrapolated(request) else ""
    rate_caveats = [f"{names}: {caveats.FEW_RESIDENTS}."] if few else caveats.few(total["crimes"])
    return [
        request.reported(total["crimes"], about_total),
        _year_on_year(request, by_month),
        arrests_number(total, " ".join([*caveats.few(total["flagged"]), caveats.ARREST])),
        Number(
            f"Per {unit:,} residents a year",
            as_text(rate, "decimal"),
            unknown or f"in {request.period_text}{extrapolated}",
            "" if unknown else " ".join([*rate_caveats, *caveats.rates(request)]),
        ),
    ]


def _trend(request: PageRequest, by_month: Counter[date], before: dict[int, list[int]]) -> Section:
    loaded = request.facts.years
    rows: list[dict[str, Any]] = []
    history = []
    run, before_month = 0, date.min
    for month, last in request.months:
        year, number = month.year, month.month
        is_whole = (request.filters.start or month) <= month and last <= (request.filters.finish or last)
        is_whole = is_whole and not loaded[year].days_missing(month, last)
        is_complete = is_whole and number <= loaded[year].complete_months
        run += before_month + timedelta(1) != month  # a line breaks where complete months are missing
        before_month = last if is_complete else date.min
        rows.append({"month": month, "crimes": by_month[month], "run": run, "is_complete": is_complete})
        rows[-1]["incidents"] = request.incidents_between(month, last)
        # Incomplete months are not tested: their low counts would make others look unusual.
        years = before[year] if is_complete else []
        past = [by_month[date(y, number, 1)] for y in years if number <= loaded[y].complete_months]
        history.append([*past, *[math.nan] * (MAX_YEARS - len(past))])
    found = expected(history, [row["crimes"] for row in rows])
    for row, (low, high), verdict in zip(rows, found.ranges(), found.verdicts(), strict=True):
        row |= {"low": low, "high": high, "verdict": verdict}
    drawn = [row for row in rows if row["is_complete"]]
    has_range = any(row["low"] is not None for row in drawn)
    tested = [*caveats.tested(row["verdict"] for row in rows), caveats.NO_VERDICT] if has_range else []
    cut = [
        f"{as_text(row['month'], 'month')} is incomplete{' and not in the chart' if len(drawn) > 1 else ''}."
        for row in rows
        if not row["is_complete"]
    ]
    reached = [] if request.filters.has_dates else [y for y in loaded if 0 < request.years[0] - y <= MAX_AGE_YEARS]
    figure, only_month = None, ""
    if len(drawn) > 1:
        label = f"Line chart of crimes per month in {request.period_text}"
        figure = charts.trend("trend", label, drawn, has_range)
    elif drawn:
        only_month = f"{as_text(drawn[0]['month'], 'month')}: {crimes_text(drawn[0]['crimes'])}. "
    if has_range:
        range_note = f"Gray: range expected from the same months of up to {MAX_YEARS} earlier years."
    elif request.filters.has_dates:
        range_note = "No expected range while dates are selected."
    else:
        range_note = f"No expected range: it needs a complete month and the same month in {MIN_YEARS} earlier years."
    return Section(
        "trend",
        "Month by month",
        only_month + range_note,
        [
            *caveats.on_records(request),
            *cut,
            *request.reworded(request.years),
            *caveats.incomparable(request, [*reached, *request.years]),
            *caveats.drifting(request, request.years),
        ],
        figure,
        [PageTable("months", "Crimes by month", MONTHS, rows, 400, is_open=False)],
        link=caveats.HOW_TESTED if has_range else None,
        table_caveats=tested,
    )


def _groups(request: PageRequest) -> Section:
    """Offense groups by year, which the crime types do not show."""
    years = request.years
    counts: dict[str, Counter[int]] = defaultdict(Counter)
    for row in request.answer("groups").to_pylist():
        counts[row["iucr"]][row["year"]] = row["crimes"]
    rows = []
    for name, group in offense_groups().items():
        by_year = sum((counts[code] for code in group.codes), Counter[int]())
        if by_year:
            row = {"name": group.label, "note": group.note, "link": request.toggled("group", name)}
            rows.append(row | request.by_year(by_year, years, {"group": name}))
    years_shown = caveats.year_columns(request.facts, years)
    columns = [Column("name", "Offense group"), *years_shown, Column("note", "Definition", "prose")]
    return Section(
        "groups",
        "Offense groups by year",
        "Offenses within and across crime types, defined by IUCR codes. A crime can be in several groups.",
        [NO_VICTIMS, *caveats.incomparable(request, years)],
        tables=[PageTable("groups", "Offense groups by year", columns, rows)],
    )


def _types(request: PageRequest, by_type: Mapping[str, Counter[str]], crimes: int) -> Section:
    rows = [
        {
            "name": name,
            "crimes": counts["crimes"],
            "share": share(counts["crimes"], crimes),
            "arrest_rate": arrest_rate(counts),
            "is_small": counts["crimes"] < caveats.SMALL,
            "link": request.toggled("type", name),
            "incidents": request.incidents(type=name) if name != NO_TYPE else "",
        }
        for name, counts in sorted(by_type.items(), key=lambda item: (-item[1]["crimes"], item[0]))
    ]
    drawn = [row | {"name": as_text(row["name"], "type")} for row in rows[:MAX_RANKED]]
    columns = (
        Column("name", "Type", "type"),
        CRIMES,
        Column("share", "Share", "percent"),
        Column("arrest_rate", "Arrest rate", "percent", is_small="is_small"),
    )
    return Section(
        "types",
        "Most common types",
        f"{len(drawn)} of {len(rows)} types in {request.period_text}."
        if len(rows) > 1
        else f"{crimes_text(crimes)} in {request.period_text}, all of one type: {drawn[0]['name']}.",
        [caveats.LABELS, *caveats.incomparable(request, request.years)],
        charts.ranked("types", "Bar chart of the most common crime types", drawn) if len(rows) > 1 else None,
        [PageTable("types", "Crimes by type", columns, rows, is_open=False)],
        table_caveats=[caveats.ARREST],
    )
