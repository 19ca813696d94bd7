"""The web application: which address shows what. Served on 127.0.0.1 only, with everything it needs on this machine.

Here belong routes, errors told kindly, and headers. What a page shows belongs in its own module.
"""

import io
import json
import logging
from contextlib import suppress
from pathlib import Path
from typing import Any

import jinja2
import pyarrow.csv
import pyarrow.parquet
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.charts.theme import theme
from chicago_crime.dashboard.charts.vega import bundle
from chicago_crime.dashboard.data import Data, NothingLoadedError
from chicago_crime.dashboard.filters import CLASSES, Filters, read_filters
from chicago_crime.dashboard.page import Asked, Page
from chicago_crime.dashboard.pages.compare import compare
from chicago_crime.dashboard.pages.data import data_page
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.pages.when import when
from chicago_crime.dashboard.pages.where import where
from chicago_crime.dashboard.view import MADE_UP, write
from chicago_crime.errors import PlatformError
from chicago_crime.tables.years import format_years

FOLDER = Path(__file__).parent
PAGES: dict[str, tuple[str, Page]] = {
    "overview": ("Overview", overview),
    "where": ("Where", where),
    "when": ("When", when),
    "compare": ("Compare", compare),
    "data": ("Data", data_page),
}
HOSTS = ["127.0.0.1", "localhost", "testserver"]
# Vega turns a chart's expressions into functions, which is what unsafe-eval allows; everything comes from this server.
POLICY = "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

log = logging.getLogger(__name__)


class Dashboard:
    """The pages over one warehouse."""

    def __init__(self, data: Data, cache: Path) -> None:
        self.data = data
        self.cache = cache
        self.templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FOLDER / "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
        )
        self.templates.globals.update(write=write, as_json=as_json, themes=[theme(False), theme(True)])

    def application(self) -> Starlette:
        """The application, to be served."""
        return Starlette(
            routes=[
                Route("/", self.page),
                Route("/static/vega.js", self.vega),
                Mount("/static", StaticFiles(directory=FOLDER / "static")),
                Route("/download/{page}/{file}", self.download),
                Route("/{page}", self.page),
            ],
            exception_handlers={HTTPException: self.not_found, PlatformError: self.told, Exception: self.bug},
            middleware=[
                Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS),
                Middleware(GZipMiddleware, minimum_size=10_000, compresslevel=1),
            ],
        )

    def warm_up(self) -> None:
        """Do beforehand what the first page would have to wait for."""
        bundle(self.cache)
        with suppress(PlatformError):  # the page will tell it
            overview(Asked(self.data, Filters()))

    def page(self, request: Request) -> Response:
        """One of the pages."""
        name = request.path_params.get("page", "overview")
        if name not in PAGES:
            raise HTTPException(404)
        asked = self._asked(request)
        view, problem = None, None
        try:
            view = PAGES[name][1](asked)
        except NothingLoadedError as error:
            return self._render("empty.html", name, None, status=200, problem=str(error))
        except PlatformError as error:
            problem = str(error)
        return self._render("page.html", name, asked, view=view, problem=problem)

    def download(self, request: Request) -> Response:
        """A table of a page, with the rows that the page shows for the same query string."""
        name, _, format = request.path_params["file"].rpartition(".")
        if request.path_params["page"] not in PAGES or format not in ("csv", "parquet"):
            raise HTTPException(404)
        asked = self._asked(request)
        view = PAGES[request.path_params["page"]][1](asked)
        table = view.table(name)
        if table is None:
            raise HTTPException(404)
        made_up = bool(caveats.made_up(asked.facts))
        rows, buffer = table.download(made_up), io.BytesIO()
        if format == "csv":
            pyarrow.csv.write_csv(rows, buffer)
        else:
            pyarrow.parquet.write_table(rows, buffer)
        file = f"chicago-crime-{view.name}-{name}{'-' + MADE_UP if made_up else ''}.{format}"
        headers = {"Content-Disposition": f'attachment; filename="{file}"'}
        types = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}
        return Response(buffer.getvalue(), media_type=types[format], headers=headers)

    def vega(self, request: Request) -> Response:
        """The library that draws charts."""
        return Response(bundle(self.cache), media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})

    def not_found(self, request: Request, error: Exception) -> Response:
        """An address that leads nowhere."""
        problem = f"There is no page at {request.url.path}."
        return self._render("message.html", "", None, status=404, problem=problem, title="No such page")

    def told(self, request: Request, error: Exception) -> Response:
        """Something that the user can mend."""
        return self._render("message.html", "", None, status=409, problem=str(error), title="Not as it is")

    def bug(self, request: Request, error: Exception) -> Response:
        """Something that only we can mend: the terminal has the details."""
        log.error("%s failed", request.url, exc_info=error)
        problem = "The dashboard failed on this page; that is a bug. The terminal it runs in shows the details."
        return self._render("message.html", "", None, status=500, problem=problem, title="This is a bug")

    def _asked(self, request: Request) -> Asked:
        filters, notes = read_filters(request.query_params.multi_items())
        return Asked(self.data, filters, notes)

    def _render(self, template: str, page: str, asked: Asked | None, status: int = 200, **more: Any) -> Response:
        filters = asked.filters if asked else Filters()
        context = {"pages": {name: title for name, (title, _) in PAGES.items()}, "page": page, "filters": filters}
        context |= {"query": filters.query(), "asked": asked, "classes": CLASSES}
        if asked:
            try:
                context |= {"facts": asked.facts, "made_up": caveats.made_up(asked.facts)}
                context["loaded"] = format_years(list(asked.facts.years))
            except PlatformError:
                context["asked"] = None
        text = self.templates.get_template(template).render(**context, **more)
        return HTMLResponse(text, status, {"Content-Security-Policy": POLICY})


def as_json(value: Any) -> Markup:
    """A value as JSON that can stand in a script element."""
    return Markup(json.dumps(value, separators=(",", ":"), default=str).replace("<", "\\u003c"))
