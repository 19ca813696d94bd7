"""A report on one year of a community area or of the whole city: a single HTML file, to print or to send.

Its numbers, charts and tables are those of the dashboard's pages.
"""

import difflib
import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import vl_convert
from markupsafe import Markup

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.app import TEMPLATES
from chicago_crime.dashboard.charts.vega import theme
from chicago_crime.dashboard.data import Data, Facts
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.compare import compare
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.pages.when import when
from chicago_crime.dashboard.view import Figure, as_text
from chicago_crime.errors import UsageError
from chicago_crime.installation import Installation

WIDTH = 680
"""Width of a chart in pixels, to fit a printed page."""

ROWS_SHOWN = 25


def write_report(
    installation: Installation, area: str | None, year: int, output: Path, as_of: date | str | None = None
) -> str:
    """Write the report and return its title. `as_of` chooses an older snapshot than the newest.

    Raises:
        UsageError: there is no such area; the message suggests some.
        PlatformError: there is no such snapshot, the year is not in it, or a file is damaged.
    """
    data = Data(installation.reader(as_of))
    facts = data.facts()
    number = find_area(facts, area) if area else None
    place = facts.areas[number] if number else "Chicago"
    filters = Filters(year=(year,), area=(number,) if number else (), end=None, rows="type")
    if year in facts.years:
        filters = replace(filters, end=facts.years[year].last_day)
    request = PageRequest(data, filters)
    views = [page(request) for page in (overview, when, compare)]
    title = f"Reported crime in {place}, {year}"
    text = TEMPLATES.get_template("report.html").render(
        title=title,
        views=views,
        as_svg=as_svg,
        as_text=as_text,
        rows_shown=ROWS_SHOWN,
        synthetic_years=caveats.synthetic_years(facts),
        block=caveats.BLOCK,
        newest=facts.years[year].last_day,
        citation=request.citation,
    )
    output.write_text(text, encoding="utf-8")
    return title


def find_area(facts: Facts, name: str) -> int:
    """The number of the area with this name, ignoring case and punctuation, or with this number.

    Raises:
        UsageError: there is no such area; the message suggests some.
    """
    by_name = {_plain(one): number for number, one in facts.areas.items()}
    wanted = _plain(name)
    if wanted in by_name:
        return by_name[wanted]
    if wanted.isdigit() and int(wanted) in facts.areas:
        return int(wanted)
    close = difflib.get_close_matches(wanted, by_name, n=3, cutoff=0.5)
    alike = dict.fromkeys([*close, *(one for one in by_name if wanted in one)])
    names = ", ".join(facts.areas[by_name[one]] for one in list(alike)[:5]) or "Hyde Park, Loop, Rogers Park, ..."
    raise UsageError(f"no community area is named {name!r}. Did you mean one of these: {names}?")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def as_svg(figure: Figure) -> Markup:
    """A chart as SVG."""
    data = {
        name: [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        for name, columns in figure.data.items()
    }
    spec: dict[str, Any] = {**figure.spec, "datasets": data, "config": theme(False), "width": WIDTH}
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return Markup(vl_convert.vegalite_to_svg(spec))
