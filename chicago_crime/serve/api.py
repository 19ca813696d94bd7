"""The JSON API: every page under `/api/v1`, with the same query parameters as in the browser."""

import re
from dataclasses import fields
from functools import partial
from importlib.metadata import version
from itertools import chain
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from chicago_crime.dashboard.access import in_turn
from chicago_crime.dashboard.app import PAGES, Dashboard
from chicago_crime.dashboard.filters import VALUES, VIEWS, Filters, read_filters
from chicago_crime.dashboard.known import require_known
from chicago_crime.dashboard.page_request import NothingMatchesError, PageRequest
from chicago_crime.dashboard.pages.incidents import SORTABLE
from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.published.catalog import ID, NothingPublishedError
from chicago_crime.serve.answers import Answer, Problem, answer_page
from chicago_crime.storage.lineage import digest
from chicago_crime.tables.years import current_year

PATH = "/api/v1"

STATUSES: dict[type[PlatformError], int] = {
    NothingPublishedError: 404,
    NothingMatchesError: 404,
    UsageError: 400,
}
"""Status codes of errors; 503 for all others."""

MEANINGS = {
    200: "the content of the page",
    304: "unchanged since the response with this ETag",
    400: "a parameter is unknown or invalid",
    404: "the page or snapshot does not exist, or the year or period is not loaded",
    429: "too many requests; retry after the seconds in `Retry-After`",
    503: "the published data cannot be read",
}
ACCEPTED = {page: [one for one in fields(Filters) if VIEWS.get(one.name, page) == page] for page in PAGES}
"""The filters that each page accepts."""
SORT = f"^incidents:-?({'|'.join(sorted(SORTABLE))})$"
LIMITS: dict[str, dict[str, Any]] = {
    "as_of": {"type": "string", "anyOf": [{"format": "date"}, {"pattern": f"^{ID.pattern}$"}]},
    "sort": {"pattern": SORT},
}
"""JSON schemas of filters with a custom parser."""
PLAIN: dict[str, dict[str, Any]] = {"boolean": {"type": "string", "enum": ["yes", "no"]}, "string": {"pattern": r"\S"}}
"""JSON schemas of types without other constraints."""


def routes(dashboard: Dashboard) -> list[BaseRoute]:
    """Build the routes of the API."""

    def description(request: Request) -> Response:
        return JSONResponse({**openapi(), "servers": [{"url": request.scope["root_path"] or "/"}]})

    return [Route("/openapi.json", description), Route(f"{PATH}/{{page}}", in_turn(partial(_answer, dashboard)))]


def _answer(dashboard: Dashboard, request: Request) -> Response:
    """Return the answer of a page, or 304 to a client that already has it."""
    name = request.path_params["page"]
    try:
        if name not in PAGES:
            raise NothingMatchesError(f"{PATH}/{name} does not exist: the pages are {', '.join(PAGES)}")
        pairs = request.query_params.multi_items()
        if blank := [name for name, text in pairs if not text.strip()]:
            raise UsageError(f"{', '.join(blank)} has no value: omit it")
        accepted = ", ".join(names := [one.name for one in ACCEPTED[name]])
        if unknown := [one for one, _ in pairs if one not in names]:
            raise UsageError(f"{', '.join(unknown)}: not a parameter of {PATH}/{name}, which accepts {accepted}")
        filters, *wrong = read_filters(pairs)
        if notes := list(chain(*wrong)):
            raise UsageError(" ".join(notes).replace("Ignored ", ""))
        if filters.sort and not re.match(SORT, filters.sort):
            columns = ", ".join(sorted(SORTABLE))
            raise UsageError(f"sort={filters.sort}: write incidents:-date, where - is descending; columns: {columns}")
        data = dashboard.snapshots.data(filters.as_of)
        page_request = PageRequest(data, require_known(data, filters))
        fingerprint = digest(version("chicago-crime"), name, page_request.filters.query())[:16]
        tag = f'"{data.catalog.snapshot}-{fingerprint}"'
        headers = {"ETag": tag, "Cache-Control": "no-cache"}
        if tag in request.headers.get("If-None-Match", ""):
            return Response(status_code=304, headers=headers)
        answer = answer_page(page_request, PAGES[name])
        return Response(answer.model_dump_json(), media_type="application/json", headers=headers)
    except PlatformError as error:
        status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 503)
        return JSONResponse(Problem(problem=str(error)).model_dump(), status)


def openapi() -> dict[str, Any]:
    """Build the OpenAPI document from the filters and the answer model."""
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
            "description": "The dashboard's pages as data. Each response includes its snapshot and caveats.",
        },
        "paths": {
            f"{PATH}/{name}": {
                "get": {
                    "operationId": name,
                    "summary": name.capitalize(),
                    "parameters": _parameters(name),
                    "responses": {str(status): response(status) for status in MEANINGS},
                }
            }
            for name in PAGES
        },
        "components": {"schemas": definitions["$defs"]},
    }


def _parameters(page: str) -> list[dict[str, Any]]:
    """Describe the filters that a page accepts."""
    found = []
    for field in ACCEPTED[page]:
        one = TypeAdapter(VALUES[field.name]).json_schema() | LIMITS.get(field.name, {})
        one |= {"maximum": current_year()} if field.name == "year" else {}
        meaning = one.pop("description")
        one = one | PLAIN.get(one["type"], {}) if one.keys() == {"type"} else one
        schema = {"type": "array", "items": one} if isinstance(field.default, tuple) else one
        found.append({"name": field.name, "in": "query", "description": meaning, "schema": schema})
    return found
