"""Find date columns of a file that would be misread: their order of day and month, AM and PM, or time zone is wrong."""

import re

from chicago_crime.intake.value_counts import MAX_UNREADABLE_SHARE, CountedRows
from chicago_crime.sources.base import MAX_REJECTED_SHARE, MIN_REJECTED

MIN_PER_FORMAT = 10
"""Minimum number of dates in each of two formats, one with days up to 12 and the other with later ones."""

MAX_CONTRARY_SHARE = 0.01
"""Maximum share of values that contradict what the others of a file say about its format."""

MIN_TIMES = 20
"""Minimum number of times to tell whether they lost AM and PM, or are in UTC."""

_DAY_MONTH = r"(?:1[3-9]|[23]\d)[-/](?:0?[1-9]|1[0-2])"
_DAY_FIRST = (
    rf"WHERE REGEXP_MATCHES(value, '^\s*(?:{_DAY_MONTH}[-/](?:[12]\d)?\d\d|[12]\d{{3}}[-/]{_DAY_MONTH})(?:\D|$)')"
)
_AM_PM = r"WHERE REGEXP_MATCHES(value, '(?i)\d\s*[ap]\.?m')"


def date_errors(rows: CountedRows) -> dict[str, str]:
    """Return an error by date column, because of which even its readable values are wrong."""
    rules = (_ambiguous_dates, _swapped_dates, _lost_am_pm, _in_utc, _day_first)
    return {name: error for rule in rules for name, error in rule(rows).items()}


def _swapped_dates(rows: CountedRows) -> dict[str, str]:
    """Find date columns in which a program rewrote only the dates that it could read day first.

    Some programs then write the same digits as before. If not, some dates are later than the last update.
    """
    total, found = rows.total, dict[str, str]()
    columns = [("date", "rewritten"), ("updated_on", "rewritten")]
    if total["after_update"] >= MIN_REJECTED:
        columns.append(("date", "reformatted"))
    for name, how in columns:
        rewritten = total[f"{how}_{name}"]
        others = total[name] - rewritten
        if min(rewritten, others) < MIN_PER_FORMAT:
            continue
        days = rows.day_order
        is_swapped = days[f"not_swapped_{how}_{name}"] <= total[name] * MAX_CONTRARY_SHARE
        if is_swapped and days[f"first_month_{name}"] != days[f"last_month_{name}"]:
            date, place = rows.first(f"{how}_{name}")
            found[name] = (
                f"has day and month swapped in some dates: the {rewritten:,} that are written like {date!r} in {place} "
                f"have a day up to 12, and the {others:,} others have a later day. A program read dates day first "
                "where it could. Export the file again without that conversion."
            )
    return found


def _ambiguous_dates(rows: CountedRows) -> dict[str, str]:
    """Find date columns that may have the day before the month."""
    unsure = {name: count for name in ("date", "updated_on") if (count := rows.total[f"unsure_{name}"])}
    found: dict[str, str] = {}
    for name, count in unsure.items():
        days = rows.day_order
        after_12 = days["short_year_after_12" if days[f"short_year_{name}"] else "after_12"]
        if after_12 <= count * MAX_CONTRARY_SHARE:
            date, place = rows.first(f"unsure_{name}")
            found[name] = (
                f"has ambiguous dates, such as {date!r} in {place}: few or no days are after 12, so either the day "
                "or the month may come first. Export the file again with dates like 2016-02-28 15:50:00."
            )
    return found


def _lost_am_pm(rows: CountedRows) -> dict[str, str]:
    """Find dates that lost AM and PM: without either, times end at 12:59."""
    total = rows.total
    times = total["without_am_pm"]
    is_12_hour = times >= MIN_TIMES and total["at_1"] and total["at_12"]
    if not is_12_hour or total["at_other_hours"] > times * MAX_CONTRARY_SHARE:
        return {}
    is_unread = total["unreadable_date"] > total["date"] * MAX_UNREADABLE_SHARE  # such as 13:00:00 PM
    if is_unread and rows.first("unreadable_date", _AM_PM)[0]:
        return {}
    date, place = rows.first("without_am_pm")
    return {
        "date": f"lacks AM and PM: {times:,} times, such as {date!r} in {place}, are between 1:00 and 12:59. Export "
        "the file again with dates like 02/28/2016 03:50:00 PM or 2016-02-28 15:50:00."
    }


def _in_utc(rows: CountedRows) -> dict[str, str]:
    """Find dates in UTC: the City uses 0:01 for unknown times, which is 5:01 or 6:01 in UTC.

    In real years, these times are 0.05 times as frequent as 12:01, 13:01, ... and 23:01 together; in UTC, 3 to 7 times.
    """
    shifted, others = rows.total["at_midnight_in_utc"], rows.total["past_hours_from_12"]
    if shifted < others or min(shifted, others) < MIN_TIMES:  # without others, the file may only have morning hours
        return {}
    date, place = rows.first("at_midnight_in_utc")
    return {
        "date": f"is in UTC: {shifted:,} times, such as {date!r} in {place}, are 5:01 or 6:01. In Chicago's time, they "
        "are 0:01, which the City uses for unknown times. Export the file again with Chicago's times."
    }


def _day_first(rows: CountedRows) -> dict[str, str]:
    """Find date columns in which some values cannot be read because the day comes first."""
    total, found = rows.total, dict[str, str]()
    for name in ("date", "updated_on"):
        unread, read = total[f"unreadable_{name}"], total[name]
        is_few = unread <= (unread + read) * MAX_UNREADABLE_SHARE
        if not unread or (is_few and rows.day_order["after_12"]):
            continue  # a few contrary values are damage
        date, place = rows.first(f"unreadable_{name}", _DAY_FIRST)
        if date:
            parts = "the day" if re.search(r"[12]\d{3}", date) else "the day or a two-digit year"
            found[name] = (
                f"has {parts} before the month, as in {date!r} in {place}: {unread:,} of {unread + read:,} values "
                "cannot be read. Export the file again with dates like 2016-02-28 15:50:00."
            )
    return found


def other_year(rows: CountedRows) -> dict[str, str]:
    """Find two-digit years that contradict the column `year`: in 16-Jan-05, the year may come first."""
    other, dates = rows.total["other_year"], rows.total["date"]
    if other < max(MIN_REJECTED, dates * MAX_REJECTED_SHARE):
        return {}
    date, place = rows.first("other_year")
    problem = f"contradicts the column year in {other:,} of {dates:,} rows; the first is {date!r} in {place}"
    return {"date": f"{problem}. If the dates are right, remove the column; else export the file again with ISO dates."}
