"""A report on some years of the city, or of an area, ward, district or beat: a single HTML file of four pages at most.

It is made to be printed or sent. Its numbers, charts and tables are those of the dashboard's pages.
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
from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts.vega import theme
from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.known import require_known
from chicago_crime.dashboard.page_request import NoCrimesError, PageRequest
from chicago_crime.dashboard.pages.compare import compare
from chicago_crime.dashboard.pages.incidents import incidents
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.pages.when import when
from chicago_crime.dashboard.pages.where import KINDS, chosen_places, where
from chicago_crime.dashboard.templating import FOLDER, TEMPLATES
from chicago_crime.dashboard.view import Figure, PageTable, Section, View, as_text
from chicago_crime.installation import Installation

ROWS_SHOWN = {"areas": 12, "blocks": 12, "spans": 13}
"""How many of the first rows of each table fit."""


def write_report(
    installation: Installation,
    year: int,
    output: Path,
    as_of: date | str | None = None,
    **places: str | int | None,
) -> str:
    """Write the report on a year and return its title.

    Args:
        installation: whose.
        year: which.
        output: the file.
        as_of: which snapshot; None for the newest.
        places: number of a `district`, `ward` or `beat`, or name or number of an `area`; with none, it is on the city.

    Raises:
        UsageError: there is no such place; the message suggests some.
        PlatformError: there is no such snapshot, the year is not in it, no crime matches, or a file is damaged.
    """
    data = Data(installation.reader(as_of))
    chosen: dict[str, Any] = {name: (place,) for name, place in places.items() if place is not None}
    request = PageRequest(data, require_known(data, Filters(year=(year,), **chosen)))
    output.write_text(render(request), encoding="utf-8")
    return title_of(request)


def title_of(request: PageRequest) -> str:
    """What the report is on."""
    return f"Reported crime in {' and '.join(chosen_places(request)) or 'Chicago'}, {request.years_text}"


def nowhere(link: str) -> str:
    """Where a file by itself leads to: nowhere."""
    return ""


def render(request: PageRequest) -> str:
    """The report as HTML, under any filters.

    Raises:
        PlatformError: none of the years is loaded, or no crime matches.
    """
    return render_paper("report.html", request, **contents(request))


def contents(request: PageRequest, page_of: Callable[[str], str] = nowhere) -> dict[str, Any]:
    """What the report shows, by the names of its template.

    Args:
        request: what it is on.
        page_of: makes the address, beside the report, of what a page of the dashboard links to; empty for none.

    Raises:
        PlatformError: none of the years is loaded, the chosen end date is not, or no crime matches.
    """
    title, has_place = title_of(request), bool(chosen_places(request))
    last_day = request.facts.years[request.newest_year].last_day
    end = request.filters.end or last_day
    filters = replace(request.filters, end=end, rows="type", map="cells" if has_place else "areas", sort="", page=1)
    request = replace(request, filters=filters)
    views = [overview(request), where(request), when(request)]
    with suppress(NoCrimesError):  # of a place without a crime in the newest year
        views.append(compare(replace(request)))  # which leaves its request with other years
    [drawn], table = views[1].sections[0].maps, "blocks" if has_place else "areas"
    tables = {table: (incidents(request) if has_place else views[1]).table(table), "spans": views[-1].table("spans")}
    used = [_section(view, name) for view, name in zip(views, ("trend", "map", "hours", "spans"), strict=False)]
    sections = {section.name: section for section in used}
    headings = {section.name: section.title for section in used} | {
        "spans": f"By type, to {as_text(end, 'date')}",
        table: "Blocks with most crimes" if has_place else "Areas with most crimes",
    }
    about = [(one.label, one.caveat) for one in views[0].numbers if one.caveat]
    about += [(headings[section.name], section.intro) for section in used if section.figures]
    about += [(headings[section.name], caveat) for section in used for caveat in section.caveats]
    about += [(headings[table], caveat) for caveat in ([] if has_place else _section(views[1], "table").caveats)]
    of_note: dict[str, list[str]] = {}
    for heading, note in about:
        of_note.setdefault(note, []).append(heading)
    notes: dict[str, list[str]] = {}
    for note, of in of_note.items():
        notes.setdefault("; ".join(of), []).append(note)
    return {
        "title": title,
        "headings": headings,
        "page_of": page_of,
        "others": [request.filter_label(name, value) for name, value in filters.active() if name not in KINDS],
        "numbers": views[0].numbers,
        "sections": sections,
        "figure": cache(lambda name, *size: _drawn(sections[name], *size)),
        "map": replace(drawn, marks=[replace(mark, link=page_of(mark.link)) for mark in drawn.marks]),
        "tables": {name: shortened(found, ROWS_SHOWN[name]) for name, found in tables.items() if found},
        "notes": notes,
        "newest": last_day,
    }


def render_paper(template: str, request: PageRequest, **more: Any) -> str:
    """A page that is made to be printed or sent: it loads nothing, and it says what it is from."""
    return TEMPLATES.get_template(template).render(
        synthetic_years=caveats.synthetic_years(request.facts),
        citation=request.citation,
        map_css=Markup((FOLDER / "static" / "map.css").read_text().partition("@media")[0]),
        **more,
    )


def _section(view: View, name: str) -> Section:
    return next(section for section in view.sections if section.name == name)


def _drawn(section: Section, width: int, height: int) -> Markup | str:
    """The chart of a section as SVG, or the sentence that says all of it."""
    return as_svg(section.figures[0], width, height) if section.figures else section.intro


def shortened(table: PageTable, rows: int) -> tuple[PageTable, int]:
    """The part of a table that fits on paper, and how many rows it leaves out.

    Of Compare, that is the year to date, and below the first rows homicide and whatever is unusual: paper has no click.
    A column of nothing, as that of a year that is not loaded, is left out, too.
    """
    known = [column for column in table.shown_columns if any(row[column.name] is not None for row in table.rows)]
    left = [column for column in known if column.name != "residents"]
    columns = [column for column in left if not column.group or column.name.startswith("year_to_date")]
    kept = [
        row
        for number, row in enumerate(table.rows)
        if number < rows or row.get("name") == "HOMICIDE" or row.get("year_to_date_verdict") == UNUSUAL
    ]
    return replace(table, columns=columns, rows=kept), len(table.rows) - len(kept)


def as_svg(figure: Figure, width: int, height: int | None = None) -> Markup:
    """A chart as SVG, of a width and height in pixels; without a height, it has its own."""
    spec: dict[str, Any] = {**figure.spec, "config": theme(False), "width": width}
    spec |= {"height": height} if height else {}
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    # Vega numbers gradients by how many charts it drew before; the same chart shall always be the same text.
    return Markup(re.sub(r"gradient_\d+", f"gradient-{figure.name}", vl_convert.vegalite_to_svg(spec)))
