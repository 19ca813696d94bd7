"""What the static site consists of: every place as the report shows it, what is unusual, what it means, downloads.

All pages lie in one folder and load nothing but themselves, so that they work from a disk as from a web server.
"""

import gzip
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
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
from chicago_crime.dashboard.report import as_svg, contents, nowhere, render_paper, shortened
from chicago_crime.dashboard.templating import as_html, methods
from chicago_crime.dashboard.view import SYNTHETIC
from chicago_crime.published.catalog import CATALOG
from chicago_crime.storage.lineage import digest
from chicago_crime.storage.local.folder_store import checksum_of
from chicago_crime.tables import ENRICHED_CRIMES, TABLES, Table
from chicago_crime.tables.dictionary import data_dictionary

YEARS_SHOWN = 5
"""How many of the newest years the pages are on."""

KINDS = {"area": "Community areas", "ward": "Wards", "district": "Police districts"}
MARTS = tuple(table for table in TABLES.values() if ENRICHED_CRIMES in table.upstream)
LOCAL = ("origin", "details")
"""Of the manifest of a source file, what names folders of the machine that read it."""

CITY, UNUSUAL, METHODS, DICTIONARY, DOWNLOADS = (
    f"{name}.html" for name in ("index", "unusual", "methods", "data-dictionary", "downloads")
)
LINKS = [
    (CITY, "Chicago and its places"),
    (UNUSUAL, "What is unusual"),
    (METHODS, "Methods and caveats"),
    (DICTIONARY, "Data dictionary"),
    (DOWNLOADS, "Downloads"),
]


@dataclass(frozen=True)
class Part:
    """Files of the site that are made together.

    Attributes:
        names: their paths in the folder.
        of: stands for what they are made of: while it is the same, so are they.
        make: makes their contents, in the same order.
    """

    names: tuple[str, ...]
    of: str
    make: Callable[[], Iterable[bytes]]


def parts_of(data: Data) -> list[Part]:
    """Everything that the site of a snapshot consists of. Nothing is made yet."""
    request = PageRequest(data, Filters(year=tuple(sorted(data.facts().years)[-YEARS_SHOWN:])))
    state = digest(data.catalog.snapshot, _code())
    places = {kind: _places(request, kind) for kind in KINDS}
    lists = [
        (heading, [(_page(kind, number), request.filter_label(kind, number)) for number in places[kind]])
        for kind, heading in KINDS.items()
    ]
    texts = {
        METHODS: ("Methods and caveats", methods()),
        DICTIONARY: ("Data dictionary", as_html(f"# Data dictionary\n\n{data_dictionary()}")),
    }
    pages: dict[tuple[str, ...], Callable[[], Iterable[bytes]]] = {
        (CITY, _chart(CITY)): partial(_place, request, CITY, lists),
        **{
            (page, _chart(page)): partial(_place, _of(request, kind, number), page, [])
            for kind, numbers in places.items()
            for number in numbers
            for page in [_page(kind, number)]
        },
        (UNUSUAL,): partial(_unusual, PageRequest(data, Filters())),
        **{(page,): partial(_text, request, page, *text) for page, text in texts.items()},
        (DOWNLOADS,): partial(_downloads, request),
        (CATALOG,): partial(_catalog, data),
    }
    return [*(Part(names, state, make) for names, make in pages.items()), *_data_files(data)]


def page_of(link: str) -> str:
    """The page of the place that a link of the dashboard chooses; empty if it chooses none, or anything besides it."""
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
    """A digest of all files of the package that could change a page."""
    package = Path(__file__).parent.parent
    return digest(*(checksum_of(file) for file in sorted(package.rglob("*.*")) if file.suffix != ".pyc"))


def _places(request: PageRequest, kind: str) -> list[int]:
    """The places of a kind with any crime in the years that are shown: areas by name, others by number."""
    return sorted(
        {*request.answer("places", place=kind)["place"].to_pylist()} - {None},
        key=request.area_name if kind == "area" else None,
    )


def _of(request: PageRequest, kind: str, number: int) -> PageRequest:
    place: dict[str, Any] = {kind: (number,)}
    return PageRequest(request.data, replace(request.filters, **place))


def _in_site(template: str, request: PageRequest, here: str, **more: Any) -> bytes:
    return render_paper(template, request, **{"page_of": nowhere, "links": LINKS, "here": here} | more).encode()


def _place(request: PageRequest, page: str, lists: list[tuple[str, list[tuple[str, str]]]]) -> Iterator[bytes]:
    """The report on a place or the city, and its chart by itself."""
    shown = contents(request, page_of)
    yield _in_site("site_place.html", request, page, places=lists, chart=_chart(page), **shown)
    yield _in_site("site_chart.html", request, page, **shown | {"links": []})


def _unusual(request: PageRequest) -> Iterator[bytes]:
    more = {"title": "What is unusual", "view": signals(request), "as_svg": as_svg, "shortened": shortened}
    yield _in_site("site_view.html", request, UNUSUAL, **more)


def _text(request: PageRequest, page: str, title: str, text: Markup) -> Iterator[bytes]:
    yield _in_site("site_text.html", request, page, title=title, text=text)


def _downloads(request: PageRequest) -> Iterator[bytes]:
    years = request.data.catalog.years

    def one(table: Table, year: int) -> dict[str, Any]:
        mark = f" {SYNTHETIC}" if years[year].is_synthetic else ""
        parquet = years[year].tables[table.name].key
        name = f"{table.name}-{year}{mark.replace(' ', '-')}"
        return {
            "label": f"{year}{mark}",
            "name": name,
            "files": [("parquet", parquet), ("csv.gz", _csv_name(table.name, year))],
        }

    tables = [(table, [one(table, year) for year in request.data.catalog.years_of(table.name)]) for table in MARTS]
    yield _in_site("site_downloads.html", request, DOWNLOADS, title="Downloads", tables=tables, catalog=CATALOG)


def _catalog(data: Data) -> Iterator[bytes]:
    """The catalog of the tables that the site has, so that the package opens them from its address."""
    names = {table.name for table in MARTS}
    years = {}
    for year, held in data.catalog.years.items():
        source = {name: value for name, value in held.source.items() if name not in LOCAL}
        tables = {name: table for name, table in held.tables.items() if name in names}
        years[year] = held.model_copy(update={"source": source, "tables": tables})
    yield data.catalog.model_copy(update={"years": years, "boundaries": None}).model_dump_json().encode()


def _data_files(data: Data) -> Iterator[Part]:
    """Each year of each mart: its Parquet file as it is, and the same rows as CSV."""
    for table in MARTS:
        for (year, held), file in zip(
            data.catalog.years_of(table.name).items(), data.reader.files_of(table.name), strict=True
        ):
            is_synthetic = data.catalog.years[year].is_synthetic
            yield Part((held.key,), held.sha256, partial(_as_it_is, file))
            yield Part((_csv_name(table.name, year),), held.sha256, partial(_csv, file, is_synthetic))


def _as_it_is(file: Path) -> Iterator[bytes]:
    yield file.read_bytes()


def _csv_name(table: str, year: int) -> str:
    return f"csv/{table}-{year}.csv.gz"


def _csv(file: Path, is_synthetic: bool) -> Iterator[bytes]:
    rows = pq.read_table(file)
    if is_synthetic:
        rows = rows.append_column("data", pa.array([SYNTHETIC] * rows.num_rows, pa.string()))
    yield gzip.compress(FORMATS["csv"][1](rows, ""), compresslevel=6, mtime=0)
