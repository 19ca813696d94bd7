"""A printable report on the city or on an area, ward, district or beat: one HTML file of up to four pages.

It has the same numbers, charts and tables as the dashboard's pages.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import vl_convert
from markupsafe import Markup

from chicago_crime.analysis.expected import UNUSUAL
from chicago_crime.dashboard.charts.vega import theme
from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import KINDS, Filters
from chicago_crime.dashboard.known import require_known
from chicago_crime.dashboard.page_request import NoCrimesError, PageRequest
from chicago_crime.dashboard.pages.compare import compare
from chicago_crime.dashboard.pages.incidents import incidents
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.pages.when import when
from chicago_crime.dashboard.pages.where import chosen_places, where
from chicago_crime.dashboard.templating import FOLDER, TEMPLATES
from chicago_crime.dashboard.view import Figure, PageTable, Section, View, as_text
from chicago_crime.installation import Installation
from chicago_crime.tables.years import format_years

ROWS_SHOWN = {"areas": 12, "blocks": 12, "spans": 13}
"""Rows of each table that fit."""

WIDTH = 690
"""Width of charts on paper, in pixels."""


def write_report(
    installation: Installation,
    year: int,
    output: Path,
    as_of: date | str | None = None,
    **places: str | int | None,
) -> str:
    """Write the report on a year and return its title.

    `places` are the number of a `district`, `ward` or `beat`, or name or number of an `area`; default: the city.

    Raises:
        UsageError: a place does not exist; the message suggests similar ones.
        PlatformError: the snapshot does not exist or lacks the year, no crime matches, or a file is damaged.
    """
    data = Data(installation.reader(as_of))
    chosen = Filters(year=(year,)).changed(**{name: (place,) for name, place in places.items() if place is not None})
    request = PageRequest(data, require_known(data, chosen))
    shown = contents(request)
    output.write_text(render_paper("report.html", request, **shown), encoding="utf-8")
    return str(shown["title"])


def contents(request: PageRequest, page_of: Callable[[str], str] = lambda link: "") -> dict[str, Any]:
    """Build the variables of the report's template, under any filters.

    `page_of` maps a link of the dashboard to a page next to the report; empty for none.

    Raises:
        PlatformError: none of the years is loaded, the chosen end date is not, or no crime matches.
    """
    places = chosen_places(request)
    title = f"Reported crime in {' and '.join(places) or 'Chicago'}, {request.period_text}"
    last_day = request.facts.years[request.newest_year].last_day
    end = request.filters.end or last_day
    filters = replace(request.filters, end=end, rows="type", map="cells" if places else "areas", sort="", page=1)
    request = replace(request, filters=filters)
    views = {"trend": overview(request), "map": where(request), "hours": when(request)}
    with suppress(NoCrimesError):  # a place may have no crimes in the newest year
        if not filters.has_dates:  # which Compare ignores
            views["spans"] = compare(replace(request))  # a copy, because it changes the years
    sections = {name: _section(view, name) for name, view in views.items()}
    drawn, ranked = sections["map"].map, "blocks" if places else "areas"
    tables = {ranked: (incidents(request) if places else views["map"]).table(ranked)}
    tables |= {"spans": views["spans"].table("spans")} if "spans" in views else {}
    headings = {name: section.title for name, section in sections.items()} | {
        "spans": f"By type, through {as_text(end, 'date')}",
        ranked: "Blocks with the most crimes" if places else "Areas with the most crimes",
    }
    about = [(one.label, one.caveat) for one in views["trend"].numbers if one.caveat]
    about += [(headings[name], section.intro) for name, section in sections.items() if section.figure]
    noted = [(name, section) for name, section in sections.items() if section.figure or name != "trend"]
    about += [(headings[name], caveat) for name, section in noted for caveat in section.caveats]
    about += [(headings[ranked], caveat) for caveat in ([] if places else _section(views["map"], "table").caveats)]
    notes: dict[str, list[str]] = {}
    for note in dict.fromkeys(note for _, note in about):
        shared_by = "; ".join(heading for heading, other in about if other == note)
        notes.setdefault(shared_by, []).append(note)
    return {
        "title": title,
        "headings": headings,
        "page_of": page_of,
        "others": [request.filter_label(name, value) for name, value in filters.active() if name not in KINDS],
        "numbers": views["trend"].numbers,
        "sections": sections,
        "figure": cache(lambda name, height: _drawn(sections[name], height)),
        "map": drawn and replace(drawn, marks=[replace(mark, link=page_of(mark.link)) for mark in drawn.marks]),
        "tables": {name: shortened(found, ROWS_SHOWN[name]) for name, found in tables.items() if found},
        "notes": notes,
        "newest": last_day,
    }


def render_paper(template: str, request: PageRequest, **more: Any) -> str:
    """Render a self-contained page with its citation."""
    return TEMPLATES.get_template(template).render(
        synthetic_years=format_years(request.facts.synthetic),
        citation=request.citation,
        map_css=Markup((FOLDER / "static" / "map.css").read_text(encoding="utf-8").partition("@media")[0]),
        **more,
    )


def _section(view: View, name: str) -> Section:
    return next(section for section in view.sections if section.name == name)


def _drawn(section: Section, height: int) -> Markup | str:
    """Return the chart of a section as SVG, or the sentence that replaces it."""
    return as_svg(section.figure, height) if section.figure else section.intro


def shortened(table: PageTable, rows: int) -> tuple[PageTable, int]:
    """Return the part of a table that fits on paper, and the number of rows left out.

    Of Compare, keep only the year to date, and also rows on homicide and unusual counts below the first rows, because
    paper has no scrolling. Drop places without crimes, and empty columns, such as those of years that are not loaded.
    """
    found = [row for row in table.rows if row.get("crimes") != 0]
    known = [column for column in table.shown_columns if any(row[column.name] is not None for row in found)]
    left = [column for column in known if column.name != "residents"]
    columns = [column for column in left if not column.group or column.name.startswith("year_to_date")]
    kept = [
        row
        for number, row in enumerate(found)
        if number < rows or row.get("name") == "HOMICIDE" or row.get("year_to_date_verdict") == UNUSUAL
    ]
    return replace(table, columns=columns, rows=kept), len(found) - len(kept)


def as_svg(figure: Figure, height: int | None = None) -> Markup:
    """Render a chart as SVG; the height in pixels is by default that of the chart."""
    spec: dict[str, Any] = {**figure.spec, "config": theme(False), "width": WIDTH}
    spec |= {"height": height} if height else {}
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    # Vega numbers gradients per process; the same chart must always be the same text.
    return Markup(re.sub(r"gradient_\d+", f"gradient-{figure.name}", vl_convert.vegalite_to_svg(spec)))
