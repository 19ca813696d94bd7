"""The pages of the static site: a report on each place, unusual counts, methods, data dictionary and downloads.

All pages are self-contained and in one folder, so that they work from a disk as well as from a web server.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pyarrow as pa
import pyarrow.parquet as pq
from markupsafe import Markup

from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.downloads import FORMATS
from chicago_crime.dashboard.filters import Filters, read_filters
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.pages.signals import signals
from chicago_crime.dashboard.report import as_svg, contents, render_paper, shortened
from chicago_crime.dashboard.templating import as_html, methods
from chicago_crime.dashboard.view import SYNTHETIC
from chicago_crime.published.catalog import CATALOG
from chicago_crime.storage.lineage import digest
from chicago_crime.storage.object_store import checksum_of
from chicago_crime.tables import ENRICHED_CRIMES, TABLES
from chicago_crime.tables.dictionary import data_dictionary

YEARS_SHOWN = 5
"""Number of newest years that the pages cover."""

KINDS = {"area": "Community areas", "ward": "Wards", "district": "Police districts"}
MARTS = tuple(table for table in TABLES.values() if ENRICHED_CRIMES in table.upstream)
LOCAL = ("origin", "details")
"""Fields of a source file's manifest that name local folders."""

TITLES = {
    "index.html": "City and places",
    "unusual.html": "Unusual counts",
    "methods.html": "Methods and caveats",
    "data-dictionary.html": "Data dictionary",
    "downloads.html": "Downloads",
}
"""The pages that all others link to."""
CITY, UNUSUAL, METHODS, DICTIONARY, DOWNLOADS = TITLES


@dataclass(frozen=True)
class Part:
    """Files of the site that are rendered together.

    Attributes:
        names: paths in the folder.
        fingerprint: of everything the files depend on: while it is the same, so are they.
        make: renders their contents, in the order of `names`.
    """

    names: tuple[str, ...]
    fingerprint: str
    make: Callable[[], Iterable[bytes]]


def site_parts(data: Data) -> list[Part]:
    """List the parts of a snapshot's site, without rendering them."""
    request = PageRequest(data, Filters(year=tuple(sorted(data.facts().years)[-YEARS_SHOWN:])))
    state = digest(data.catalog.snapshot, _code())
    places = {kind: _places(request, kind) for kind in KINDS}
    lists = [
        (heading, [(_page(kind, number), request.filter_label(kind, number)) for number in places[kind]])
        for kind, heading in KINDS.items()
    ]
    dictionary = as_html(f"# {TITLES[DICTIONARY]}\n\n{data_dictionary()}")
    pages: dict[tuple[str, ...], Callable[[], Iterable[bytes]]] = {
        (CITY, _chart(CITY)): partial(_place, request, CITY, lists),
        (UNUSUAL,): partial(_unusual, PageRequest(data, Filters())),
        (METHODS,): partial(_text, request, METHODS, methods()),
        (DICTIONARY,): partial(_text, request, DICTIONARY, dictionary),
        (DOWNLOADS,): partial(_downloads, request),
        (CATALOG,): partial(_catalog, data),
    }
    for kind, number in ((kind, number) for kind, numbers in places.items() for number in numbers):
        page, chosen = _page(kind, number), request.filters.changed(**{kind: (number,)})
        pages[page, _chart(page)] = partial(_place, PageRequest(data, chosen), page, [])
    return [*(Part(names, state, make) for names, make in pages.items()), *_data_files(data)]


def page_of(link: str) -> str:
    """Return the page of the place that a dashboard link filters by; empty if it has no or other filters."""
    filters, *_ = read_filters(parse_qsl(link.rpartition("?")[2]))
    match filters.active():
        case [(kind, number)] if kind in KINDS:
            return _page(kind, number)
    return ""


def _page(kind: str, number: int) -> str:
    return f"{kind}-{number}.html"


def _chart(page: str) -> str:
    return page.replace(".html", "-chart.html")


@cache
def _code() -> str:
    """Digest of all files of the package that could change a page."""
    package = Path(__file__).parent.parent
    return digest(*(checksum_of(file) for file in sorted(package.rglob("*.*")) if file.suffix != ".pyc"))


def _places(request: PageRequest, kind: str) -> list[int]:
    """List the places of a kind with any crime in the covered years: areas by name, others by number."""
    return sorted(
        {*request.answer("places", place=kind)["place"].to_pylist()} - {None},
        key=request.area_name if kind == "area" else None,
    )


def _render(template: str, request: PageRequest, here: str, **more: Any) -> bytes:
    return render_paper(template, request, **{"links": TITLES, "here": here, "title": TITLES.get(here)} | more).encode()


def _place(request: PageRequest, page: str, lists: list[tuple[str, list[tuple[str, str]]]]) -> Iterator[bytes]:
    """Render the report on a place or the city, and its chart for embedding."""
    shown = contents(request, page_of)
    yield _render("site_place.html", request, page, places=lists, chart=_chart(page), **shown)
    yield _render("site_chart.html", request, page, **shown | {"links": {}})


def _unusual(request: PageRequest) -> Iterator[bytes]:
    yield _render("site_view.html", request, UNUSUAL, view=signals(request), as_svg=as_svg, shortened=shortened)


def _text(request: PageRequest, page: str, text: Markup) -> Iterator[bytes]:
    yield _render("paper.html", request, page, text=text)


def _downloads(request: PageRequest) -> Iterator[bytes]:
    catalog = request.data.catalog
    tables = [
        (table, [(year, held.key, _csv_name(table.name, year)) for year, held in catalog.years_of(table.name).items()])
        for table in MARTS
    ]
    more = {"tables": tables, "catalog": CATALOG, "synthetic": request.facts.synthetic}
    yield _render("site_downloads.html", request, DOWNLOADS, **more)


def _catalog(data: Data) -> Iterator[bytes]:
    """The catalog of the tables on the site, with which the package can open them."""
    names = {table.name for table in MARTS}
    years = {}
    for year, held in data.catalog.years.items():
        source = {name: value for name, value in held.source.items() if name not in LOCAL}
        tables = {name: table for name, table in held.tables.items() if name in names}
        years[year] = held.model_copy(update={"source": source, "tables": tables})
    yield data.catalog.model_copy(update={"years": years, "boundaries": None}).model_dump_json().encode()


def _data_files(data: Data) -> Iterator[Part]:
    """Each year of each mart: its Parquet file unchanged, and the same rows as CSV."""
    for table in MARTS:
        for (year, held), file in zip(
            data.catalog.years_of(table.name).items(), data.reader.files_of(table.name), strict=True
        ):
            is_synthetic = data.catalog.years[year].is_synthetic
            yield Part((held.key,), held.sha256, partial(_content, file))
            yield Part((_csv_name(table.name, year),), held.sha256, partial(_csv, file, is_synthetic))


def _content(file: Path) -> Iterator[bytes]:
    yield file.read_bytes()


def _csv_name(table: str, year: int) -> str:
    return f"csv/{table}-{year}.csv.gz"


def _csv(file: Path, is_synthetic: bool) -> Iterator[bytes]:
    rows = pq.read_table(file)
    if is_synthetic:
        rows = rows.append_column("data", pa.array([SYNTHETIC] * rows.num_rows, pa.string()))
    yield gzip.compress(FORMATS["csv"][1](rows, ""), compresslevel=6, mtime=0)
