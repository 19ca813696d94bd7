"""The page Overview: how much, whether it rises or falls, of what, and what moved most."""

from collections import Counter, defaultdict
from datetime import date
from typing import Any

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import charts
from chicago_crime.dashboard.page import Asked
from chicago_crime.dashboard.view import (
    NOT_KNOWN,
    Column,
    Figure,
    Number,
    Section,
    Shown,
    View,
    change,
    columnar,
    share,
    write,
)

MOST_RANKED = 24
MOST_MOVED = 6

MOVED_COLUMNS = (
    Column("name", "Type"),
    Column("now", "Now", "count"),
    Column("before", "A year before", "count"),
    Column("change", "Change", "change"),
    Column("share", "Change, %", "percent_change", is_small="is_small"),
)


def overview(asked: Asked) -> View:
    """Make the page."""
    years, facts = asked.years, asked.facts
    before_years = [year - 1 for year in years if year - 1 in facts.years]
    rows = asked.answer("overview", {*years, *before_years}).to_pylist()
    chosen = set(years)
    by_month: Counter[date] = Counter()
    by_type: dict[str, Counter[str]] = defaultdict(Counter)
    total: Counter[str] = Counter()
    compared = _compared_months(asked)
    moved: dict[bool, dict[Any, Counter[str]]] = {True: defaultdict(Counter), False: defaultdict(Counter)}
    placed = 0
    for row in rows:
        month, crimes, is_by_type = row["month"], row["crimes"], row["is_by_type"]
        if is_by_type:
            by_month[month] += crimes
            if month.year in chosen:
                name = row["type"] or "NOT GIVEN"
                by_type[name].update(crimes=crimes, arrests=row["arrests"])
                total.update(crimes=crimes, arrests=row["arrests"])
        elif month.year == asked.newest and row["community_area"]:
            placed += crimes
        key = (row["type"] or "NOT GIVEN") if is_by_type else row["community_area"]
        if month.month <= compared and month.year in (asked.newest, asked.newest - 1):
            moved[is_by_type][key]["now" if month.year == asked.newest else "before"] += crimes
    asked.refuse_nothing(total["crimes"])
    by_area = {asked.area_name(area): found for area, found in moved[False].items() if area}
    return View(
        "overview",
        "Overview",
        "How much crime is reported, is it rising or falling, and of what kind?",
        numbers=_numbers(asked, total, moved[True], placed, compared),
        sections=[
            _trend(asked, by_month),
            _types(asked, by_type, total["crimes"]),
            _moved(asked, "moved-types", "type", moved[True], compared),
            _moved(asked, "moved-areas", "area", by_area, compared),
        ],
    )


def _compared_months(asked: Asked) -> int:
    """How many months of the newest year can be compared with the year before: those that are over in both."""
    now, before = (asked.facts.years.get(year) for year in (asked.newest, asked.newest - 1))
    return min(now.whole_months, before.whole_months) if now and before else 0


def span(asked: Asked, compared: int) -> str:
    """The months that are compared, and of which years."""
    months = "" if compared == 12 else f"January to {write(date(2000, compared, 1), 'month').split()[0]} "
    return f"{months}{asked.newest} against {asked.newest - 1}"


def _numbers(
    asked: Asked, total: Counter[str], by_type: dict[str, Counter[str]], placed: int, compared: int
) -> list[Number]:
    now = sum(counts["now"] for counts in by_type.values())
    before = sum(counts["before"] for counts in by_type.values())
    whole = asked.facts.years[asked.newest].is_whole
    residents = asked.residents([asked.newest], asked.filters.area)
    rate = None if asked.filters.district else share(1000 * placed, residents)
    few = [area for area in asked.filters.area if asked.has_few_residents([asked.newest], area)]
    names = " and ".join(asked.area_name(area) for area in few)
    small = f"{names}: {caveats.FEW_RESIDENTS}. " if few else ""
    provisional = caveats.provisional(asked.facts, asked.years)
    return [
        Number("Reported crimes", write(total["crimes"], "count"), f"in {asked.in_years}", " ".join(provisional)),
        Number(
            "Year on year",
            write(change(now, before), "percent_change"),
            f"{span(asked, compared)}: {write(now - before, 'change')} crimes"
            if compared
            else f"{asked.newest - 1} is not loaded, or no month of both years is over",
        ),
        Number(
            "With the arrest flag",
            write(share(total["arrests"], total["crimes"]), "percent"),
            f"{write(total['arrests'], 'count')} crimes in {asked.in_years}",
            caveats.ARREST,
        ),
        Number(
            "Per 1,000 residents",
            write(rate, "decimal"),
            f"in {asked.newest}" + ("" if whole else ", which is not whole")
            if rate is not None
            else f"{NOT_KNOWN} no residents are known by police district",
            small + caveats.POPULATION if rate is not None else "",
        ),
    ]


def _trend(asked: Asked, by_month: Counter[date]) -> Section:
    rows = []
    for year in asked.years:
        facts = asked.facts.years[year]
        for number in range(1, facts.last_day.month + 1):
            month = date(year, number, 1)
            is_over = number <= facts.whole_months
            before = by_month[date(year - 1, number, 1)] if year - 1 in asked.facts.years else None
            # A line runs through years that follow each other; where one is left out, it breaks.
            run = year - asked.years.index(year)
            rows.append({"month": month, "crimes": by_month[month], "before": before, "run": run, "is_over": is_over})
    drawn = [row for row in rows if row["is_over"]]
    has_before = any(row["before"] is not None for row in drawn)
    cut = [
        f"{write(row['month'], 'month')} is not over and is left out of the chart."
        for row in rows
        if not row["is_over"]
    ]
    return Section(
        "trend",
        "Month by month",
        "Grey: the same month a year before." if has_before else "No year before is loaded.",
        [*caveats.provisional(asked.facts, asked.years), *cut],
        [
            Figure(
                "trend",
                f"Line chart of crimes a month in {asked.in_years}, with the year before behind",
                charts.trend_and_before() if has_before else charts.trend(),
                {"trend": columnar(drawn, "month", "crimes", "before", "run")},
            )
        ],
        [
            Shown(
                "months",
                "Crimes by month",
                (
                    Column("month", "Month", "month"),
                    Column("crimes", "Crimes", "count"),
                    Column("before", "A year before", "count"),
                ),
                rows,
                shown=400,
            )
        ],
        shape="wide",
    )


def _types(asked: Asked, by_type: dict[str, Counter[str]], crimes: int) -> Section:
    rows = [
        {
            "name": name,
            "crimes": counts["crimes"],
            "share": share(counts["crimes"], crimes),
            "arrest_rate": share(counts["arrests"], counts["crimes"]),
            "is_small": counts["crimes"] < caveats.SMALL,
            "link": asked.toggled("type", name),
        }
        for name, counts in sorted(by_type.items(), key=lambda item: (-item[1]["crimes"], item[0]))
    ]
    columns = (
        Column("name", "Type"),
        Column("crimes", "Crimes", "count"),
        Column("share", "Share", "percent"),
        Column("arrest_rate", "Arrest flag", "percent", is_small="is_small"),
    )
    return Section(
        "types",
        "Types, ranked",
        f"The {min(MOST_RANKED, len(rows))} most frequent of {len(rows)} in {asked.in_years}.",
        [*caveats.labels(asked.facts, asked.filters), caveats.ARREST],
        [
            Figure(
                "types",
                "Bar chart of the most frequent types of crime",
                charts.in_rows(charts.ranked(), len(rows[:MOST_RANKED])),
                {"ranked": columnar(rows[:MOST_RANKED], "name", "crimes", "share")},
            )
        ],
        [Shown("types", "Crimes by type", columns, rows)],
        shape="tall",
    )


def _moved(asked: Asked, name: str, what: str, counts: dict[str, Counter[str]], compared: int) -> Section:
    numbers = {name: number for number, name in asked.facts.areas.items()}
    rows: list[dict[str, Any]] = [
        {
            "name": one,
            "now": found["now"],
            "before": found["before"],
            "change": found["now"] - found["before"],
            "share": change(found["now"], found["before"]),
            "is_small": found["before"] < caveats.SMALL,
            "direction": "rose" if found["now"] > found["before"] else "fell",
            "link": asked.toggled(what, numbers.get(one, one)),
        }
        for one, found in counts.items()
    ]
    rows.sort(key=lambda row: (-abs(row["change"]), row["name"]))
    title = f"What moved most, by {what}"
    if not compared:
        return Section(
            name, title, f"Nothing to compare: {asked.newest - 1} is not loaded, or too little of a year is."
        )
    drawn = sorted((row for row in rows[: 2 * MOST_MOVED] if row["change"]), key=lambda row: -row["change"])
    columns = (Column("name", what.capitalize()), *MOVED_COLUMNS[1:])
    return Section(
        name,
        title,
        f"{span(asked, compared)}, the largest changes.",
        [*caveats.provisional(asked.facts, [asked.newest]), caveats.SMALL_NUMBERS],
        [
            Figure(
                name,
                f"Bar chart of the {what}s whose number of crimes changed most",
                charts.in_rows(charts.moved(), len(drawn)),
                {"moved": columnar(drawn, "name", "change", "share", "now", "before", "direction")},
            )
        ]
        if drawn
        else [],
        [Shown(name, f"Change by {what}, {span(asked, compared)}", columns, rows)],
    )
