"""The web application: routes, error pages and headers. All assets are served locally."""

import logging
import re
from dataclasses import replace
from datetime import date
from functools import cached_property, partial
from importlib import import_module
from typing import Any
from urllib.parse import urljoin

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Lifespan

from chicago_crime.dashboard.access import in_turn, middleware
from chicago_crime.dashboard.charts.map import UNIT_FT
from chicago_crime.dashboard.charts.projection import tile_polynomials
from chicago_crime.dashboard.charts.vega import bundle, theme
from chicago_crime.dashboard.data import Snapshots
from chicago_crime.dashboard.downloads import FORMATS, file_name, picture_title
from chicago_crime.dashboard.filters import Filters, read_filters
from chicago_crime.dashboard.page_request import NothingMatchesError, Page, PageRequest
from chicago_crime.dashboard.pages.compare import compare
from chicago_crime.dashboard.pages.data import data_page
from chicago_crime.dashboard.pages.incidents import incidents
from chicago_crime.dashboard.pages.overview import overview
from chicago_crime.dashboard.pages.signals import signals
from chicago_crime.dashboard.pages.when import when
from chicago_crime.dashboard.pages.where import where
from chicago_crime.dashboard.report import contents, render_paper
from chicago_crime.dashboard.search import understand
from chicago_crime.dashboard.templating import FOLDER, TEMPLATES, methods
from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import NothingPublishedError
from chicago_crime.reference import offense_groups
from chicago_crime.settings import PREFIX, SettingsError
from chicago_crime.tables.years import format_years

PAGES: dict[str, Page] = {
    "signals": signals,
    "overview": overview,
    "where": where,
    "when": when,
    "compare": compare,
    "incidents": incidents,
    "data": data_page,
}
LINK = re.compile(r'(\b(?:href|src|action)=")/')
NOT_IN_FRAMES = "frame-ancestors 'none'"
# Vega compiles chart expressions to functions, which needs unsafe-eval; all scripts come from this server.
POLICY = (
    f"{NOT_IN_FRAMES}; default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:"
)

log = logging.getLogger(__name__)


class Dashboard:
    """The pages over published snapshots; `more` are further routes, with a `lifespan` of their own."""

    def __init__(self, installation: Installation, as_of: date | str | None = None) -> None:
        """Show the newest snapshot of an installation, or that of `as_of`."""
        self.snapshots = Snapshots(installation, as_of)
        self.settings = installation.settings
        self.more: list[BaseRoute] = []
        self.lifespan: Lifespan[Starlette] | None = None

    def application(self) -> Starlette:
        """Build the application for an ASGI server.

        Raises:
            SettingsError: the path it is served under starts like one of its own pages.
        """
        routes = [
            Route("/", in_turn(self.page)),
            Route("/static/vega.js", self.vega),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
            Route("/blocks", in_turn(self.blocks)),
            Route("/embed/{page}/{name}", in_turn(self.embed)),
            Route("/download/{page}/{file}", in_turn(self.download)),
            Route("/report", in_turn(self.report)),
            Route("/methods", self.methods),
            *self.more,
            Route("/{page}", in_turn(self.page)),
        ]
        path = self.settings.dashboard_path
        own = {*PAGES, *(str(getattr(route, "path", "")).split("/")[1] for route in routes)}
        if own & {*path.split("/")[1:2]}:
            name = f"{PREFIX}DASHBOARD_PATH"
            raise SettingsError(f"{name}={path}: the dashboard itself uses this path. Choose another, such as /crime")
        return Starlette(
            routes=routes,
            exception_handlers={
                404: self.not_found,
                405: self.read_only,
                NothingPublishedError: self.nothing_published,
                PlatformError: self.user_error,
                Exception: self.internal_error,
            },
            middleware=[
                *middleware(self.settings),
                Middleware(GZipMiddleware, minimum_size=10_000, compresslevel=1),
            ],
            lifespan=self.lifespan,
        )

    @cached_property
    def tiles(self) -> dict[str, Any] | None:
        """Source of street tiles and how to place them on maps; None if not configured."""
        settings = self.settings
        if settings.map_tiles is None:
            return None
        return {"url": settings.map_tiles, "credit": settings.map_credit, **tile_polynomials(UNIT_FT)}

    def warm_up(self) -> None:
        """Import modules that concurrent requests would race for; raises the errors of a page."""
        import_module("chicago_crime.sql.duckdb_dialect")
        signals(PageRequest(self.snapshots.data(), Filters()))

    def page(self, request: Request) -> Response:
        """Serve one of the pages."""
        name = request.path_params.get("page", "signals")
        if name not in PAGES:
            raise HTTPException(404)
        page_request = replace(self._page_request(request), is_interactive=True)
        try:
            page_request.require_valid()
            more: dict[str, Any] = {"view": PAGES[name](page_request)}
        except NothingMatchesError as error:
            blocks = [block for part in page_request.filters.block for block in page_request.blocks_like(part)]
            more = {"problem": str(error), "blocks": blocks}
        return self._render("page.html", name, page_request, **more)

    def download(self, request: Request) -> Response:
        """Serve a table of a page as a file, with the same query string as the page."""
        page, (name, _, format) = request.path_params["page"], request.path_params["file"].rpartition(".")
        if page not in PAGES or format not in FORMATS:
            raise HTTPException(404)
        page_request = replace(self._page_request(request, is_strict=True), download=name)
        page_request.require_valid()
        table = PAGES[page](page_request).table(name)
        if table is None:
            raise HTTPException(404)
        media_type, write = FORMATS[format]
        rows = table.download(page_request.filters.sort, bool(page_request.facts.synthetic))
        file = f"{file_name(page_request, page, name)}.{format}"
        headers = {"Content-Disposition": f'attachment; filename="{file}"'}
        return Response(write(rows, page_request.citation), media_type=media_type, headers=headers)

    def embed(self, request: Request) -> Response:
        """Serve one chart or map of a page for embedding in other sites."""
        page, name = request.path_params.values()
        page_request = self._page_request(request)
        page_request.require_valid()
        section = PAGES[page](page_request).only(name) if page in PAGES else None
        if section is None:
            problem = f"There is no chart or map {name!r} on the page {page!r} with these filters."
            return self._error(404, "Page not found", problem)
        response = self._render("embed.html", page, page_request, section=section, is_embedded=True)
        policy = response.headers["Content-Security-Policy"].replace(NOT_IN_FRAMES, "frame-ancestors *")
        response.headers["Content-Security-Policy"] = policy
        return response

    def report(self, request: Request) -> Response:
        """Serve the printable report for the filters."""
        page_request = self._page_request(request)
        page_request.require_valid()
        text = render_paper("report.html", page_request, **contents(page_request))
        return HTMLResponse(self._under_path(text), headers={"Content-Security-Policy": POLICY})

    def methods(self, request: Request) -> Response:
        """Serve the methods page."""
        return self._render("methods.html", "", text=methods())

    def vega(self, request: Request) -> Response:
        """Serve the JavaScript of the charts."""
        return Response(bundle(), media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})

    def not_found(self, request: Request, error: Exception) -> Response:
        """Serve the page for an unknown address."""
        return self._error(404, "Page not found", f"There is no page at {request.url.path}.")

    def read_only(self, request: Request, error: Exception) -> Response:
        """Refuse a method; `Allow` is required, but static files do not set it."""
        headers = getattr(error, "headers", None) or {"Allow": "GET, HEAD"}
        return PlainTextResponse("Method Not Allowed", 405, headers)

    def nothing_published(self, request: Request, error: Exception) -> Response:
        """Serve the page for a missing snapshot, or for an installation without any."""
        if request.query_params.get("as_of") or self.snapshots.as_of or "file" in request.path_params:
            return self._error(404, "Snapshot not found", str(error))
        return self._render("empty.html", request.path_params.get("page", "signals"))

    def user_error(self, request: Request, error: Exception) -> Response:
        """Serve the page for wrong filters (400), or for data that cannot be read (503)."""
        status = 400 if isinstance(error, UsageError | NothingMatchesError) else 503
        return self._error(status, "This page cannot be shown", str(error))

    def internal_error(self, request: Request, error: Exception) -> Response:
        """Serve the page for a bug; details are logged."""
        log.error("%s failed", request.url, exc_info=error)
        problem = "This is a bug in the dashboard. The server's log has the details."
        return self._error(500, "Something went wrong", problem)

    def _page_request(self, request: Request, is_strict: bool = False) -> PageRequest:
        pairs = request.query_params.multi_items()
        filters, notes, refused = read_filters((name, text) for name, text in pairs if name not in ("q", "part"))
        if notes and is_strict:  # a file has no room for notes
            raise UsageError(" ".join(notes).replace("Ignored ", ""))
        data = self.snapshots.data(filters.as_of)
        if text := request.query_params.get("q", "").strip():
            found, unknown, impossible = understand(text, data)
            filters = filters.with_search(found)
            refused += impossible
            if unknown:
                message = f"Not recognized: {', '.join(unknown)}."
                (refused if found == Filters() else notes).append(message)
            notes += [f"{one.label}: {one.note}" for one in map(offense_groups().__getitem__, found.group)]
        return PageRequest(data, filters, notes, refused)

    def blocks(self, request: Request) -> Response:
        """Suggest blocks that contain a text, those with the most crimes first."""
        page_request = self._page_request(request)
        return JSONResponse(page_request.blocks_like(request.query_params.get("part", "")))

    def _under_path(self, html: str) -> str:
        """Prefix the links of a page, which all start at the root, with the path under which a proxy serves it."""
        return LINK.sub(rf"\1{self.settings.dashboard_path}/", html)

    def _error(self, status: int, title: str, problem: str) -> Response:
        return self._render("message.html", "", status=status, title=title, problem=problem)

    def _render(
        self, template: str, page: str, request: PageRequest | None = None, status: int = 200, **more: Any
    ) -> Response:
        filters = request.filters if request else Filters()
        context = {"pages": PAGES, "page": page, "filters": filters}
        bare = filters.none_chosen().query()
        context |= {
            "query": filters.query(),
            "bare": f"?{bare}" if bare else "",
            "request": request,
            "tiles": self.tiles,
            "themes": [theme(False), theme(True)],
        }
        if request:
            context |= {
                "facts": request.facts,
                "synthetic_years": format_years(request.facts.synthetic),
                "loaded": format_years(list(request.facts.years)),
                "citation": request.citation,
                "chart_file": partial(file_name, request, page),
                "picture_title": partial(picture_title, request),
            }
        text = TEMPLATES.get_template(template).render(**context, **more)
        policy = POLICY + (f" {urljoin(self.tiles['url'], '/')}" if self.tiles else "")
        return HTMLResponse(self._under_path(text), status, {"Content-Security-Policy": policy})
