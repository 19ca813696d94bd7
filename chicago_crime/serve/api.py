"""The program interface: every page's answer as JSON under `/api/v1`, with the parameters of the page's address."""

from dataclasses import fields
from importlib.metadata import version
from itertools import chain
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from chicago_crime.dashboard.app import PAGES, Dashboard
from chicago_crime.dashboard.filters import VALUES, Filters, read_filters
from chicago_crime.dashboard.known import require_known
from chicago_crime.dashboard.page_request import NothingMatchesError, PageRequest
from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.published.catalog import ID, DamagedError, NothingPublishedError
from chicago_crime.serve.answers import Answer, Problem, answer_page
from chicago_crime.storage.lineage import digest
from chicago_crime.tables.years import current_year

PATH = "/api/v1"

STATUSES: dict[type[PlatformError], int] = {
    NothingPublishedError: 404,
    NothingMatchesError: 404,
    UsageError: 400,
    DamagedError: 503,
}
ONLY_OF = {
    "map": "where",
    "measure": "where",
    "rows": "compare",
    "end": "compare",
    "sort": "incidents",
    "page": "incidents",
}
"""The parameters that one page alone uses."""
MEANINGS = {
    200: "the answer",
    304: "it has not changed since the answer with that ETag",
    400: "a parameter is unknown or wrong",
    404: "there is no such page, snapshot, loaded year or period",
    429: "too many requests; `Retry-After` says when to ask again",
    503: "a published file is damaged",
}
LIMITS: dict[str, dict[str, Any]] = {
    "as_of": {"type": "string", "anyOf": [{"format": "date"}, {"pattern": f"^{ID.pattern}$"}]},
    "year": {"maximum": current_year()},
}
"""What the filters that have a reader of their own may be."""
PLAIN: dict[str, dict[str, Any]] = {"boolean": {"type": "string", "enum": ["yes", "no"]}, "string": {"pattern": r"\S"}}
"""How values without other conditions are written."""


def routes(dashboard: Dashboard) -> list[BaseRoute]:
    """The routes of the program interface."""

    def page(request: Request) -> Response:
        return _answer(dashboard, request)

    def description(request: Request) -> Response:
        return JSONResponse({**openapi(), "servers": [{"url": request.scope["root_path"] or "/"}]})

    return [Route("/openapi.json", description), Route(f"{PATH}/{{page}}", page)]


def _answer(dashboard: Dashboard, request: Request) -> Response:
    """A page's answer. It is not made again for a client that has the one of this snapshot."""
    name = request.path_params["page"]
    try:
        if name not in PAGES:
            raise NothingMatchesError(f"there is no {PATH}/{name}: the pages are {', '.join(PAGES)}")
        pairs = request.query_params.multi_items()
        if blank := [name for name, text in pairs if not text.strip()]:
            raise UsageError(f"{', '.join(blank)} has no value: leave it out")
        filters, *wrong = read_filters(pairs)
        if notes := list(chain(*wrong)):
            raise UsageError(" ".join(notes).replace("Ignored ", ""))
        if foreign := [f"{one} is of {PATH}/{ONLY_OF[one]}" for one, _ in pairs if ONLY_OF.get(one, name) != name]:
            raise UsageError(f"{'; '.join(foreign)}: {PATH}/{name} has no such parameter")
        data = dashboard.snapshots.data(filters.as_of)
        asked = PageRequest(data, require_known(data, filters))
        tag = f'"{asked.data.catalog.snapshot}-{digest(version("chicago-crime"), name, asked.filters.query())[:16]}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if tag in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        answer = answer_page(asked, PAGES[name][1])
        return Response(answer.model_dump_json(), media_type="application/json", headers=headers)
    except PlatformError as error:
        status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
        return JSONResponse(Problem(problem=str(error)).model_dump(), status)


def openapi() -> dict[str, Any]:
    """The OpenAPI document, derived from the filters and the model of the answer."""
    refs, definitions = models_json_schema(
        [(Answer, "serialization"), (Problem, "serialization")], ref_template="#/components/schemas/{model}"
    )
    answer, problem = refs[Answer, "serialization"], refs[Problem, "serialization"]

    def response(status: int) -> dict[str, Any]:
        body = {"content": {"application/json": {"schema": answer if status == 200 else problem}}}
        return {"description": MEANINGS[status]} | ({} if status == 304 else body)

    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Chicago crime data",
            "version": version("chicago-crime"),
            "description": "What the dashboard's pages show, as data. Each answer names its snapshot and its caveats.",
        },
        "paths": {
            f"{PATH}/{name}": {
                "get": {
                    "operationId": name,
                    "summary": title,
                    "parameters": _parameters(name),
                    "responses": {str(status): response(status) for status in MEANINGS},
                }
            }
            for name, (title, _) in PAGES.items()
        },
        "components": {"schemas": definitions["$defs"]},
    }


def _parameters(page: str) -> list[dict[str, Any]]:
    """A parameter for each filter that a page uses."""
    found = []
    for field in (one for one in fields(Filters) if ONLY_OF.get(one.name, page) == page):
        one = TypeAdapter(VALUES[field.name]).json_schema() | LIMITS.get(field.name, {})
        meaning = one.pop("description")
        one = one | PLAIN.get(one["type"], {}) if one.keys() == {"type"} else one
        is_list = isinstance(field.default, tuple)
        found.append(
            {
                "name": field.name,
                "in": "query",
                "description": meaning,
                "schema": {"type": "array", "items": one} if is_list else one,
            }
        )
    return found
