"""The page When: hours of the week, and months by year."""

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


def when(request: PageRequest) -> View:
    """Build the page."""
    by_month, by_hour = request.totals("month"), request.answer("when").to_pylist()
    total = sum(counts["crimes"] for counts in by_month.values())
    request.require_matches(total)
    placeholders = sum(row["time_placeholders"] for row in by_hour)
    return View(
        "At what hours, on which days and in which months does reported crime occur?",
        numbers=[
            request.reported(total, caveats.incomparable(request, request.years)),
            Number(
                "Time unknown",
                as_text(share(placeholders, total), "percent"),
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
    for row in rows:
        by_day[row["weekday"]] += row["crimes"]
        by_hour[request.filter_label("hour", row["hour"])] += row["crimes"]
    occur = Counter(day_name[day.weekday()] for day in request.days)
    a_day = {name: crimes / occur[name] for name, crimes in by_day.items() if crimes}
    unequal = (
        f"The period has {min(occur.values())} to {max(occur.values())} of each weekday; the chart shows totals, "
        "not averages."
    )
    return Section(
        "hours",
        "Hours of the week",
        f"Crimes with a known time, in Chicago local time. {_highest('hour', by_hour, 'count')}"
        f"{_highest('day', a_day, 'decimal', ' on average')}".strip(),
        [
            "Many times are estimates and cluster on the hour: noon can mean “around noon.”",
            *([unequal] if len({*occur.values()}) > 1 else []),
            *caveats.incomparable(request, request.years),
        ],
        [charts.hours("hours", "Heat map of crimes by weekday and hour", rows)],
        [PageTable("hours", f"Crimes by weekday and hour, {request.period_text}", columns, rows, shown=168)],
    )


def _highest(what: str, by: Mapping[str, float], kind: Kind, unit: str = "") -> str:
    """Name the hour or day with most crimes; several with as many are no finding."""
    most = [name for name, crimes in by.items() if crimes == max(by.values())]
    return f"Busiest {what}: {most[0]} ({as_text(by[most[0]], kind)}{unit}). " if len(most) == 1 else ""


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
            *caveats.provisional(request),
            *caveats.incomparable(request, request.years),
        ],
        [charts.months("months", "Heat map of crimes by month and year", rows)],
        [PageTable("months", f"Crimes by month, {request.period_text}", columns, rows, shown=400)],
    )
