"""A report: one self-contained HTML page of a year, of one community area or of the whole city, to print or to send.

Here belong matching the name of an area and putting the page together. Numbers, charts and tables are those of the
dashboard's pages.
"""

import difflib
import re
from pathlib import Path
from typing import Any

import jinja2
import vl_convert
from markupsafe import Markup

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.app import FOLDER
from chicago_crime.dashboard.charts.theme import theme
from chicago_crime.dashboard.data import Data, NothingLoadedError
from chicago_crime.dashboard.facts import Facts
from chicago_crime.dashboard.filters import Filters
from chicago_crime.dashboard.page import Asked
from chicago_crime.dashboard.pages.compare import compare
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.pages.when import when
from chicago_crime.dashboard.view import Figure, write
from chicago_crime.errors import UsageError
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings

WIDTH = 680
"""Of a chart, in pixels: what fits on a printed page."""

ROWS_SHOWN = 25
LEAST_ALIKE = 0.75
"""How alike a misspelled name must be to be taken for an area, from 0 to 1."""


def write_report(settings: Settings, area: str | None, year: int, output: Path) -> str:
    """Write the report and return its title.

    Raises:
        UsageError: no area is called so, or the year is not loaded; the message says what there is.
    """
    installation = Installation(settings)
    data = Data(installation.warehouse, installation.source_files, settings.home)
    try:
        facts = data.facts()
    except NothingLoadedError as error:
        raise NothingLoadedError(f"nothing is loaded yet: chicago-crime run --years {year}. {error}".strip()) from None
    number = find_area(facts, area) if area else None
    place = facts.areas[number] if number else "Chicago"
    filters = Filters(year=(year,), area=(number,) if number else (), end=None, rows="type")
    if year in facts.years:
        filters = filters.having(end=facts.years[year].last_day)
    views = [page(Asked(data, filters)) for page in (overview, when, compare)]
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    title = f"Reported crime in {place}, {year}"
    text = templates.get_template("report.html").render(
        title=title,
        views=views,
        drawn=drawn,
        write=write,
        rows_shown=ROWS_SHOWN,
        made_up=caveats.made_up(facts),
        block=caveats.BLOCK,
        newest=facts.years[year].last_day,
    )
    output.write_text(text, encoding="utf-8")
    return title


def find_area(facts: Facts, name: str) -> int:
    """The number of the area that a person means, whatever the case, the punctuation and small misspellings.

    Raises:
        UsageError: no area is called so; the message suggests some.
    """
    by_name = {_plain(one): number for number, one in facts.areas.items()}
    wanted = _plain(name)
    if wanted in by_name:
        return by_name[wanted]
    if wanted.isdigit() and int(wanted) in facts.areas:
        return int(wanted)
    alike = difflib.get_close_matches(wanted, by_name, n=3, cutoff=0.5)
    first = difflib.SequenceMatcher(None, wanted, alike[0]).ratio() if alike else 0.0
    second = difflib.SequenceMatcher(None, wanted, alike[1]).ratio() if len(alike) > 1 else 0.0
    if first >= LEAST_ALIKE and first > second:
        return by_name[alike[0]]
    alike += [one for one in by_name if wanted in one and one not in alike]
    names = ", ".join(facts.areas[by_name[one]] for one in alike[:5]) or "Hyde Park, Loop, Rogers Park, ..."
    raise UsageError(f"no community area is called {name!r}; is it one of these: {names}?")


def _plain(name: str) -> str:
    name = re.sub(r"[^a-z0-9]", "", name.lower())
    return re.sub(r"^the(?=.)", "", name)


def drawn(figure: Figure) -> Markup:
    """A chart as SVG."""
    data = {
        name: [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        for name, columns in figure.data.items()
    }
    spec: dict[str, Any] = {**figure.spec, "datasets": data, "config": theme(False), "width": WIDTH}
    spec["autosize"] = {"type": "fit-x", "contains": "padding"}
    return Markup(vl_convert.vegalite_to_svg(spec))
