"""The page Signals: unusual counts in the latest four weeks and the year to date."""

from dataclasses import replace
from datetime import date
from typing import Any

from chicago_crime.analysis.expected import MAX_YEARS, MIN_YEARS, UNUSUAL
from chicago_crime.analysis.signals import Kind, Offense, Signal, find_signals
from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts import charts
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.compare import days_of, loaded_backs, years_of
from chicago_crime.dashboard.view import Column, PageTable, Section, View, days_text
from chicago_crime.tables.years import format_years

SPANS = {"days_28": "Latest 28 days", "year_to_date": "Year to date"}
MAX_DRAWN = 12


def signals(request: PageRequest) -> View:
    """Build the page. Unusual counts are found once per snapshot; filters only select which ones to show."""
    end = request.facts.newest_day
    question = "What is unusual, compared with the same days of earlier years?"
    loaded = loaded_backs(request.facts, end, "days_28")  # which implies the year to date
    backs = [back for back in loaded if not caveats.incomplete(request.facts, years_of(SPANS, end, (0, back)))]
    request.years, request.last_day = [end.year], end
    if backs[:1] != [0] or len(backs) <= MIN_YEARS:
        return View(question, [_too_few_days(request, end)])
    request.note_unused(("group", "type", "area"))
    request.notes += request.not_loaded(end.year - back for back in range(1, backs[1]))
    found = request.data.derived("signals", lambda: _find(request, end, backs))
    return View(question, [_section(request, span, found[span], backs[1:]) for span in SPANS])


def _find(request: PageRequest, end: date, backs: list[int]) -> dict[str, list[Signal]]:
    years = sorted(years_of(SPANS, end, backs) & request.facts.years.keys())
    parameters = {"last_day": end, "years_back": backs, "years": years}
    counted = request.data.answer("signals", parameters)
    return {span: find_signals(counted, span, backs) for span in SPANS}


def _too_few_days(request: PageRequest, end: date) -> Section:
    newest = days_text(*days_of("days_28", end, 0))
    return Section(
        "signals",
        "Not enough days to compare",
        f"This page needs the latest 28 days ({newest}) and the same days of at least "
        f"{MIN_YEARS} earlier years without missing days. Loaded: {request.facts.years_text(request.facts.years)}. "
        f"To load more: {request.data.catalog.how_to_load(f'{end.year - MAX_YEARS}-{end.year}')}",
        caveats.incomplete(request.facts, request.facts.years),
    )


def _section(request: PageRequest, span: str, found: list[Signal], before: list[int]) -> Section:
    end = request.facts.newest_day
    first, last = days_of(span, end, 0)
    earlier = sorted(days_of(span, end, back)[1].year for back in before)
    years = format_years(earlier).replace(",", ", ")
    everything = replace(request, filters=request.filters.none_chosen())
    lacks_areas = caveats.incomparable(everything, [*earlier, end.year], "area")
    chosen = [(signal, offense) for signal in found if (offense := _chosen_offense(request, signal))]
    rows = [_row(request, signal, offense, first, last) for signal, offense in chosen]
    unusual = [row for row in rows if row["verdict"] == UNUSUAL]
    drawn = unusual[:MAX_DRAWN]
    columns = (
        Column("sentence", "What", incidents="rows_of"),
        Column("offense", "Offense", is_shown=False),
        Column("area", "Place", is_shown=False),
        Column("now", "Reported", "count", is_shown=False),
        Column("low", "Expected from", "count", is_shown=False),
        Column("high", "Expected to", "count", is_shown=False),
        Column("before", f"In {years}"),
        Column("score", "Standard score", "score"),
        Column("verdict", "Verdict"),
    )
    chart, figure = "", None
    if len(drawn) > 1:  # a chart of one bar would only repeat the first row of the table
        chart = f"The chart shows the first {len(drawn)}. Gray: the expected range."
        figure = charts.ranges(span, f"Chart of unusual counts, {SPANS[span].lower()}", drawn)
    count = f"{len(unusual):,} unusual count{'' if len(unusual) == 1 else 's'}"
    selected = f"The filters select {len(rows):,} of them. " if len(rows) < len(found) else ""
    if found and not rows:
        selected = "None of them match the filters, so it is unknown whether those counts are unusual. "
    untested = "no count matches the filters" if found else "nothing was tested"
    title = f"{count}, compared with the mean of {years}" if rows else untested
    return Section(
        span,
        f"{SPANS[span]}: {title}",
        f"{days_text(first, last)}, compared with the same days of {years}. "
        f"{len(found):,} counts of offenses in the city and its areas were tested, the city's separately. {selected}"
        "With so many tests, some counts fall outside their expected range by chance. Only those far outside are "
        f"called unusual; at most 5% of those are expected to be chance. {chart}".strip(),
        [
            *caveats.on_records(request),
            *caveats.still_growing(everything),
            *([caveats.UNPLACED] if lacks_areas else []),
        ],
        figure,
        [PageTable(span, "All counts: unusual ones first, the city's before its areas'", columns, rows, shown=50)],
        link=caveats.HOW_TESTED,
        table_caveats=[caveats.MANY_TESTS, caveats.NO_VERDICT],
    )


def _chosen_offense(request: PageRequest, signal: Signal) -> Offense | None:
    """Return the offense of a signal that matches all filters, or None."""
    filters = request.filters
    if filters.area and signal.area not in filters.area:
        return None
    selected: dict[Kind, tuple[str, ...]] = {"group": filters.group, "type": filters.type}
    active = {of: names for of, names in selected.items() if names}
    chosen = [(of, name) for of, name in signal.offenses if name in active.get(of, ())]
    if {of for of, _ in chosen} != active.keys():
        return None
    return chosen[0] if chosen else signal.offenses[0]


def _row(request: PageRequest, signal: Signal, counted: Offense, first: date, last: date) -> dict[str, Any]:
    kind, name = counted
    offense = request.filter_label(kind, name) if name else "All crimes"
    place = "Chicago" if signal.area is None else request.area_name(signal.area)
    chosen: dict[str, Any] = {} if signal.area is None else {"area": (signal.area,)}
    chosen |= {kind: (name,)} if name else {}
    return {
        "sentence": f"{offense} in {place}: {signal.now:,}, expected {signal.low:,} to {signal.high:,}",
        "name": f"{offense}, {place}",
        "offense": offense,
        "area": place,
        "now": signal.now,
        "low": signal.low,
        "high": signal.high,
        "mean": sum(signal.before) / len(signal.before),
        "before": ", ".join(f"{count:,}" for count in reversed(signal.before)),
        "score": signal.score,
        "verdict": signal.verdict,
        "rows_of": request.filters.none_chosen().changed(start=first, finish=last, **chosen).query(),
    }
