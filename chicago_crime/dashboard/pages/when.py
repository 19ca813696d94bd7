"""The page When: hours of the week, months by years, and the seasons."""

from calendar import monthrange
from datetime import date
from typing import Any

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import charts
from chicago_crime.dashboard.page import Asked
from chicago_crime.dashboard.view import Column, Figure, Number, Section, Shown, View, columnar, share, write

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def when(asked: Asked) -> View:
    """Make the page."""
    rows = asked.answer("when").to_pylist()
    by_month = {row["month"]: row["crimes"] for row in rows if row["month"]}
    by_hour = [row for row in rows if not row["month"]]
    total = sum(by_month.values())
    asked.refuse_nothing(total)
    placeholders = sum(row["time_placeholders"] for row in by_hour)
    known = sum(row["crimes"] for row in by_hour)
    if known + placeholders != total:
        asked.notes.append(
            "A year is being replaced right now: hours and months are not of the same moment. Look again."
        )
    return View(
        "when",
        "When",
        "At which hours, on which days and in which months is it reported to have happened?",
        numbers=[
            Number("Reported crimes", write(total, "count"), f"in {asked.in_years}"),
            Number(
                "Time not known",
                write(share(placeholders, total), "percent"),
                f"{write(placeholders, 'count')} crimes",
                "Exactly 00:00 or 00:01 stands for an unknown time: left out of the hours, counted in the months.",
            ),
        ],
        sections=[_hours(asked, by_hour), _months(asked, by_month), _season(asked, by_month)],
    )


def _hours(asked: Asked, found: list[dict[str, Any]]) -> Section:
    crimes = {(row["day_of_week"], row["hour"]): row["crimes"] for row in found}
    rows = [
        {"weekday": name, "hour": hour, "crimes": crimes.get((number, hour), 0)}
        for number, name in enumerate(WEEKDAYS, 1)
        for hour in range(24)
    ]
    columns = (Column("weekday", "Day"), Column("hour", "Hour", "plain"), Column("crimes", "Crimes", "count"))
    return Section(
        "hours",
        "Hours of the week",
        "Crimes whose time is known, Chicago local time.",
        ["Times are at times a best estimate, and cluster at full hours: noon stands for “around noon”, too."],
        [
            Figure(
                "hours", "Heat map of crimes by weekday and hour", charts.hours(), {"hours": columnar(rows, *rows[0])}
            )
        ],
        [Shown("hours", f"Crimes by weekday and hour, {asked.in_years}", columns, rows, shown=168)],
        shape="wide",
    )


def _months(asked: Asked, by_month: dict[date, int]) -> Section:
    rows = [
        {
            "year": year,
            "month_name": MONTHS[number - 1],
            "month": number,
            "crimes": by_month.get(date(year, number, 1), 0),
        }
        for year in asked.years
        for number in range(1, asked.facts.years[year].last_day.month + 1)
    ]
    columns = (Column("year", "Year", "plain"), Column("month", "Month", "plain"), Column("crimes", "Crimes", "count"))
    drawn = {"months": columnar(rows, "year", "month_name", "crimes")}
    return Section(
        "months",
        "Months by years",
        "Every crime, also those whose time is not known.",
        [*caveats.provisional(asked.facts, asked.years), *caveats.partial(asked.facts, asked.years)],
        [
            Figure(
                "months",
                "Heat map of crimes by month and year",
                charts.in_rows(charts.months(), len(asked.years)),
                drawn,
            )
        ],
        [Shown("months", f"Crimes by month, {asked.in_years}", columns, rows, shown=400)],
    )


def _season(asked: Asked, by_month: dict[date, int]) -> Section:
    whole = [year for year in asked.years if asked.facts.years[year].is_whole]
    title, name = "Seasons", "season"
    if not whole:
        return Section(name, title, "No chosen year is whole: seasons need all twelve months.")
    days = [sum(monthrange(year, number)[1] for year in whole) for number in range(1, 13)]
    crimes = [sum(by_month.get(date(year, number, 1), 0) for year in whole) for number in range(1, 13)]
    mean = sum(crimes) / sum(days)
    if not mean:
        return Section(name, title, "No crime of a whole year matches these filters.")
    rows = [
        {
            "month_name": MONTHS[i],
            "crimes": crimes[i],
            "per_day": crimes[i] / days[i],
            "above": crimes[i] / days[i] / mean - 1,
        }
        for i in range(12)
    ]
    columns = (
        Column("month_name", "Month"),
        Column("crimes", "Crimes", "count"),
        Column("per_day", "A day", "decimal"),
        Column("above", "Against the mean day", "percent_change"),
    )
    return Section(
        name,
        title,
        f"Crimes a day against the mean day of whole years ({len(whole)} of {len(asked.years)} chosen).",
        [caveats.SMALL_NUMBERS] if min(crimes) < caveats.SMALL else [],
        [
            Figure(
                name,
                "Bar chart of months against the mean day",
                charts.season(),
                {name: columnar(rows, "month_name", "above")},
            )
        ],
        [Shown(name, "Months against the mean day", columns, rows)],
    )
