"""The web application: routes, error pages and headers. It serves everything it needs itself, without the internet."""

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
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Lifespan

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.access import middleware
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
from chicago_crime.dashboard.report import render
from chicago_crime.dashboard.search import understand
from chicago_crime.dashboard.templating import FOLDER, TEMPLATES, methods
from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import DamagedError, NothingPublishedError
from chicago_crime.reference import offense_groups
from chicago_crime.settings import PREFIX, SettingsError
from chicago_crime.tables.years import format_years

PAGES: dict[str, tuple[str, Page]] = {
    "signals": ("Signals", signals),
    "overview": ("Overview", overview),
    "where": ("Where", where),
    "when": ("When", when),
    "compare": ("Compare", compare),
    "incidents": ("Incidents", incidents),
    "data": ("Data", data_page),
}
LINK = re.compile(r'(\b(?:href|src|action)=")/')
NOT_IN_FRAMES = "frame-ancestors 'none'"
# Vega compiles expressions of charts to functions, which needs unsafe-eval; all scripts come from this server.
POLICY = (
    f"{NOT_IN_FRAMES}; default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:"
)

log = logging.getLogger(__name__)


class Dashboard:
    """The pages over published snapshots.

    Attributes:
        snapshots: what they show.
        settings: of the installation.
        more: routes beside the pages.
        lifespan: what runs while the server does.
    """

    def __init__(self, installation: Installation, as_of: date | str | None = None) -> None:
        """Of an installation: its newest snapshot, or another."""
        self.snapshots = Snapshots(installation, as_of)
        self.settings = installation.settings
        self.more: list[BaseRoute] = []
        self.lifespan: Lifespan[Starlette] | None = None

    def application(self) -> Starlette:
        """The application for an ASGI server.

        Raises:
            SettingsError: it would be served under a path that is its own page's.
        """
        routes = [
            Route("/", self.page),
            Route("/static/vega.js", self.vega),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
            Route("/blocks", self.blocks),
            Route("/embed/{page}/{name}", self.embed),
            Route("/download/{page}/{file}", self.download),
            Route("/report", self.report),
            Route("/methods", self.methods),
            *self.more,
            Route("/{page}", self.page),
        ]
        path = self.settings.dashboard_path
        if path.split("/")[1:2] and path.split("/")[1] in {*PAGES, *(_first_part(route) for route in routes)}:
            name = f"{PREFIX}DASHBOARD_PATH"
            raise SettingsError(f"{name}={path}: a page of the dashboard begins with that. Choose another, as /crime")
        return Starlette(
            routes=routes,
            exception_handlers={
                HTTPException: self.refused,
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
        """Where browsers get streets from, and how they place them on maps; None if the installation has none."""
        settings = self.settings
        if settings.map_tiles is None:
            return None
        return {"url": settings.map_tiles, "credit": settings.map_credit, **tile_polynomials(UNIT_FT)}

    def warm_up(self) -> None:
        """Import before the server listens what concurrent requests would race for; errors are those of a page."""
        import_module("chicago_crime.sql.duckdb_dialect")
        signals(PageRequest(self.snapshots.data(), Filters()))

    def page(self, request: Request) -> Response:
        """One of the pages."""
        name = request.path_params.get("page", "signals")
        if name not in PAGES:
            raise HTTPException(404)
        page_request = replace(self._page_request(request), is_waited_for=True)
        view, problem, status, blocks = None, None, 200, []
        try:
            page_request.require_sense()
            view = PAGES[name][1](page_request)
        except NothingMatchesError as error:
            problem, blocks = str(error), page_request.blocks_like(page_request.filters.block)
        except PlatformError as error:
            problem, status = str(error), 503 if isinstance(error, DamagedError) else 200
        more = {"view": view, "problem": problem, "blocks": blocks}
        return self._render("page.html", name, page_request, status, **more)

    def download(self, request: Request) -> Response:
        """A table of a page, with the rows that the page shows for the same query string."""
        page, (name, _, format) = request.path_params["page"], request.path_params["file"].rpartition(".")
        if page not in PAGES or format not in FORMATS:
            raise HTTPException(404)
        page_request = replace(self._page_request(request, ignores=False), download=name)
        page_request.require_sense()
        table = PAGES[page][1](page_request).table(name)
        if table is None:
            raise HTTPException(404)
        is_synthetic = bool(caveats.synthetic_years(page_request.facts))
        media_type, write = FORMATS[format]
        rows = table.download(page_request.filters.sort, is_synthetic)
        file = f"{file_name(page_request, page, name)}.{format}"
        headers = {"Content-Disposition": f'attachment; filename="{file}"'}
        return Response(write(rows, page_request.citation), media_type=media_type, headers=headers)

    def embed(self, request: Request) -> Response:
        """One chart or map of a page by itself, for a frame in a page of somebody else."""
        page, page_request = request.path_params["page"], self._page_request(request)
        page_request.require_sense()
        section = PAGES[page][1](page_request).only(request.path_params["name"]) if page in PAGES else None
        if section is None:
            raise HTTPException(404)
        response = self._render("embed.html", page, page_request, section=section, is_embedded=True)
        policy = response.headers["Content-Security-Policy"].replace(NOT_IN_FRAMES, "frame-ancestors *")
        response.headers["Content-Security-Policy"] = policy
        return response

    def report(self, request: Request) -> Response:
        """The same filters as a report to print."""
        page_request = self._page_request(request)
        page_request.require_sense()
        return HTMLResponse(self._under_path(render(page_request)), headers={"Content-Security-Policy": POLICY})

    def methods(self, request: Request) -> Response:
        """How each number is made, and what it does not say."""
        return self._render("methods.html", "", text=methods())

    def vega(self, request: Request) -> Response:
        """The library that draws the charts."""
        return Response(bundle(), media_type="text/javascript", headers={"Cache-Control": "max-age=86400"})

    def refused(self, request: Request, error: Exception) -> Response:
        """The page for an address that does not exist, or that somebody wants to write to."""
        if isinstance(error, HTTPException) and error.status_code == 405:
            response = self._error(405, "Nothing can be changed here", "The dashboard is read with GET.")
            response.headers["Allow"] = (error.headers or {}).get("Allow", "GET, HEAD")  # which static files leave out
            return response
        return self._error(404, "Page not found", f"There is no page at {request.url.path}.")

    def nothing_published(self, request: Request, error: Exception) -> Response:
        """The page for a snapshot that does not exist, or what to do if there is none at all."""
        if request.query_params.get("as_of") or self.snapshots.as_of or "file" in request.path_params:
            return self._error(404, "There is no such snapshot", str(error))
        return self._render("empty.html", request.path_params.get("page", "overview"))

    def user_error(self, request: Request, error: Exception) -> Response:
        """The page for an error that the user can fix, or for a file that is damaged."""
        status = 503 if isinstance(error, DamagedError) else 400
        return self._error(status, "This cannot be shown", str(error))

    def internal_error(self, request: Request, error: Exception) -> Response:
        """The page for a bug; details go to the terminal."""
        log.error("%s failed", request.url, exc_info=error)
        problem = "The dashboard failed on this page. This is a bug; the terminal it runs in shows the details."
        return self._error(500, "Something went wrong", problem)

    def _page_request(self, request: Request, ignores: bool = True) -> PageRequest:
        pairs = request.query_params.multi_items()
        filters, notes, refused = read_filters((name, text) for name, text in pairs if name not in ("q", "part"))
        if notes and not ignores:  # a file has no place for notes
            raise UsageError(" ".join(notes).replace("Ignored ", ""))
        data = self.snapshots.data(filters.as_of)
        if text := request.query_params.get("q", "").strip():
            found, unknown = understand(text, data)
            filters = filters.searched(found)
            notes += [f"Not understood: {', '.join(unknown).removesuffix('.')}."] if unknown else []
            notes += [f"{one.label}: {one.note}" for one in map(offense_groups().__getitem__, found.group)]
        return PageRequest(data, filters, notes, refused)

    def blocks(self, request: Request) -> Response:
        """Blocks that contain a text, those with most crimes first: what the filter of blocks suggests."""
        page_request = self._page_request(request)
        return JSONResponse(page_request.blocks_like([request.query_params.get("part", "")]))

    def _under_path(self, html: str) -> str:
        """A page with its links, all of which begin at the root, below the path under which a proxy serves them."""
        return LINK.sub(rf"\1{self.settings.dashboard_path}/", html)

    def _error(self, status: int, title: str, problem: str) -> Response:
        return self._render("message.html", "", status=status, title=title, problem=problem)

    def _render(
        self, template: str, page: str, request: PageRequest | None = None, status: int = 200, **more: Any
    ) -> Response:
        filters = request.filters if request else Filters()
        context = {"pages": {name: title for name, (title, _) in PAGES.items()}, "page": page, "filters": filters}
        bare = filters.none_chosen().query()
        context |= {
            "query": filters.query(),
            "bare": f"?{bare}" if bare else "",
            "request": request,
            "tiles": self.tiles,
            "themes": [theme(False), theme(True)],
        }
        if request:
            try:
                context |= {"facts": request.facts, "synthetic_years": caveats.synthetic_years(request.facts)}
                context |= {"loaded": format_years(list(request.facts.years)), "citation": request.citation}
                context["chart_file"] = partial(file_name, request, page)
                context["picture_title"] = partial(picture_title, request)
            except PlatformError:
                context["request"] = None
        text = TEMPLATES.get_template(template).render(**context, **more)
        policy = POLICY + (f" {urljoin(self.tiles['url'], '/')}" if self.tiles else "")
        return HTMLResponse(self._under_path(text), status, {"Content-Security-Policy": policy})


def _first_part(route: BaseRoute) -> str:
    """The first part of the path of a route."""
    return str(getattr(route, "path", "")).split("/")[1]
