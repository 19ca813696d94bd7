"""The page When: hours of the week, and months by year."""

import math
from calendar import day_name, month_abbr
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import charts
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.view import (
    CRIMES,
    Column,
    Kind,
    Number,
    PageTable,
    Section,
    View,
    as_text,
    crimes_text,
    share,
)

STANDARD_ERRORS = 2
"""Minimum difference, in its standard errors, between hours or days that are called busiest and others."""

MAX_NAMED = 2


def when(request: PageRequest) -> View:
    """Build the page."""
    by_month, total = request.matching("month")
    crimes, by_hour = total["crimes"], request.answer("when").to_pylist()
    placeholders = sum(row["time_placeholders"] for row in by_hour)
    return View(
        "At what hours, on which days and in which months does reported crime occur?",
        numbers=[
            request.reported(crimes, caveats.incomparable(request, request.years)),
            Number(
                "Time unknown",
                as_text(share(placeholders, crimes), "percent"),
                crimes_text(placeholders),
                "Times of exactly 00:00 or 00:01 mean unknown: excluded from hours, included in months.",
            ),
        ],
        sections=[_hours(request, by_hour), _months(request, by_month)],
    )


def _hours(request: PageRequest, found: list[dict[str, Any]]) -> Section:
    crimes = {(row["day_of_week"], row["hour"]): row["crimes"] for row in found}
    rows = [
        {
            "weekday": name,
            "hour": hour,
            "crimes": crimes.get((number, hour), 0),
            "incidents": request.incidents(weekday=number, hour=hour),
        }
        for number, name in enumerate(day_name, 1)
        for hour in range(24)
    ]
    columns = (Column("weekday", "Day"), Column("hour", "Hour"), CRIMES)
    by_day, by_hour = Counter[str](), Counter[str]()
    for row in found:
        by_day[day_name[row["day_of_week"] - 1]] += row["crimes"] + row["time_placeholders"]
        by_hour[request.filter_label("hour", row["hour"])] += row["crimes"]
    occur = Counter(day_name[day.weekday()] for day in request.days)
    busiest = busiest_of("hour", by_hour, dict.fromkeys(by_hour, 1), "count")
    busiest += busiest_of("day", by_day, occur, "decimal", " on average, unknown times included")
    unequal = (
        f"The period has {min(occur.values())} to {max(occur.values())} of each weekday; the chart shows totals, "
        "not averages."
    )
    return Section(
        "hours",
        "Hours of the week",
        f"Crimes with a known time, in Chicago local time. {busiest}".strip(),
        [
            "Many times are estimates and cluster on the hour: noon can mean “around noon.”",
            *([unequal] if len({*occur.values()}) > 1 else []),
            *caveats.incomparable(request, request.years),
        ],
        charts.hours("hours", "Heat map of crimes by weekday and hour", rows),
        [PageTable("hours", f"Crimes by weekday and hour, {request.period_text}", columns, rows, 168, is_open=False)],
    )


def busiest_of(what: str, crimes: Mapping[str, int], occur: Mapping[str, int], kind: Kind, unit: str = "") -> str:
    """Name the busiest hour or day on average, and a second one that chance could put first; none if there are more."""
    means = {name: count / occur[name] for name, count in crimes.items() if count}
    first = max(means, key=means.__getitem__, default="")

    def is_alike(name: str) -> bool:
        error = math.sqrt(sum(means[one] / occur[one] for one in (first, name)))
        return means[first] - means[name] < STANDARD_ERRORS * error

    most = sorted(filter(is_alike, means), key=means.__getitem__, reverse=True)
    if not most or len(most) > min(MAX_NAMED, len(means) - 1) or crimes[first] < caveats.SMALL:
        return ""
    named = " and ".join(f"{name} ({as_text(means[name], kind)}{unit})" for name in most)
    return f"Busiest {what}{'s' if len(most) > 1 else ''}: {named}. "


def _months(request: PageRequest, by_month: defaultdict[date, Counter[str]]) -> Section:
    rows = [
        {
            "year": first.year,
            "month_name": month_abbr[first.month],
            "month": first.month,
            "crimes": by_month[first]["crimes"],
            "incidents": request.incidents_between(first, last),
        }
        for first, last in request.months
    ]
    columns = (Column("year", "Year"), Column("month", "Month"), CRIMES)
    return Section(
        "months",
        "Months by year",
        "All crimes, including those with an unknown time.",
        [
            *caveats.on_records(request),
            *caveats.incomparable(request, request.years),
        ],
        charts.months("months", "Heat map of crimes by month and year", rows),
        [PageTable("months", f"Crimes by month, {request.period_text}", columns, rows, 400, is_open=False)],
    )
