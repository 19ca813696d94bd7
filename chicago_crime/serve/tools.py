"""The MCP server: typed tools that give AI assistants the content of the pages, including caveats."""

from datetime import date
from importlib.metadata import version
from types import GenericAlias
from typing import Annotated, Any, Literal

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, create_model
from typing_extensions import override

from chicago_crime.dashboard.app import PAGES
from chicago_crime.dashboard.data import Snapshots
from chicago_crime.dashboard.filters import ROWS, VALUES, VIEWS, Filters
from chicago_crime.dashboard.known import OF_SNAPSHOT, known, require_known
from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.errors import PlatformError
from chicago_crime.published.catalog import PUBLISHED
from chicago_crime.reference import offense_groups
from chicago_crime.serve.answers import Answer, answer_page
from chicago_crime.serve.locked import locked_rows

INSTRUCTIONS = (
    "Reported crime in Chicago since 2001. Responses name their published snapshot and include caveats: pass them on "
    "with the numbers. Arrest rates are not clearance rates, provisional counts will still grow, and victims "
    "are not listed."
)
DEFAULT_ROWS = 50
TABLES = {table.name: table for table in PUBLISHED}

Limit = Annotated[int, Field(ge=1, le=500, description="maximum rows per table")]


def _as_list(value: Any) -> Any:
    """Accept a single value in place of a list."""
    return [value] if isinstance(value, str | int) else value


def _argument(name: str) -> Any:
    """Type and field of a filter; numbers that depend on the snapshot may be names, and are checked later."""
    schema = TypeAdapter(VALUES[name]).json_schema()
    one: Any = str | int if name in OF_SNAPSHOT and schema["type"] == "integer" else VALUES[name]
    if isinstance(default := getattr(Filters, name), tuple):
        several: Any = Annotated[GenericAlias(tuple, (one, ...)), BeforeValidator(_as_list)]
        return several, Field(default, description=schema["description"])
    return one | None, Field(default, description=schema["description"])


Filter = create_model("Filter", **{name: _argument(name) for name in VALUES if name not in (*VIEWS, "as_of")})


class Choice(Filter):  # type: ignore[misc, valid-type]
    """Which crimes to include. Omitted filters match everything; several values of a filter match any of them."""

    model_config = ConfigDict(extra="forbid")


ALL_CRIMES = Choice()
WHERE_FILTERS_GO = 'filters go inside crimes, as in {"crimes": {"type": ["ROBBERY"]}}'


class Server(MCPServer):
    """A server whose errors name the invalid arguments and the valid ones."""

    @override
    async def call_tool(self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None) -> Any:
        tools = {tool.name: tool.input_schema["properties"] for tool in await self.list_tools()}
        if unknown := [one for one in arguments if one not in tools.get(name, arguments)]:
            hint = f"; {WHERE_FILTERS_GO}" if "crimes" in tools[name] and {*unknown} & VALUES.keys() else ""
            raise ToolError(
                f"{', '.join(unknown)}: not an argument of {name}, which accepts {', '.join(tools[name])}{hint}"
            )
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            cause = error.__cause__
            if isinstance(cause, ValidationError):
                problems = (
                    f"{'.'.join(map(str, one['loc']))}: {one['msg']} (got {one['input']!r})" for one in cause.errors()
                )
                raise ToolError("; ".join(problems)) from error
            if isinstance(cause, PlatformError):
                raise ToolError(str(cause)) from error
            raise


def build_server(snapshots: Snapshots, sql: bool = False) -> MCPServer:
    """Build the server with its tools; `sql` adds one that runs SQL."""
    server = Server("chicago-crime", instructions=INSTRUCTIONS, version=version("chicago-crime"), log_level="WARNING")

    def answer(name: str, crimes: Choice, limit: int, **more: Any) -> Answer:
        data = snapshots.data()
        filters = require_known(data, Filters(**dict(crimes) | more))
        request = PageRequest(data, filters, refused=filters.swapped)
        request.require_valid()
        return answer_page(request, PAGES[name], limit)

    @server.tool()
    def describe(table: str | None = None) -> dict[str, Any]:
        """List the loaded years, offense groups and tables, or the columns of one table with units and caveats."""
        if table:
            [name] = known({name: name for name in TABLES}, [table], "table")
            columns = {column.name: f"{column.type}: {column.description}" for column in TABLES[name].columns}
            return {"table": name, "one_row_is": TABLES[name].grain, "columns": columns}
        facts = snapshots.data().facts()
        return {
            "years": {year: f"{one.crimes:,} crimes through {one.last_day}" for year, one in facts.years.items()},
            "synthetic_years": facts.synthetic,
            "offense_groups": {name: f"{one.label}: {one.note}" for name, one in offense_groups().items()},
            "crime_types": facts.choices["type"],
            "community_areas": facts.areas,
            "tables": {name: one.description for name, one in TABLES.items()},
        }

    @server.tool()
    def count(crimes: Choice = ALL_CRIMES, limit: Limit = DEFAULT_ROWS) -> Answer:
        """Count reported crimes by type, and compare the newest year with the year before."""
        return answer("overview", crimes, limit)

    @server.tool()
    def trend(crimes: Choice = ALL_CRIMES, limit: Limit = 300) -> Answer:
        """Crimes by month, with the range expected from the same months of earlier years."""
        found = answer("overview", crimes, limit)
        return found.model_copy(update={"sections": [one for one in found.sections if one.name == "trend"]})

    @server.tool()
    def compare(
        crimes: Choice = ALL_CRIMES,
        rows: Literal[ROWS] = Filters.rows,  # type: ignore[valid-type]
        last_day: date | None = None,
        limit: Limit = DEFAULT_ROWS,
    ) -> Answer:
        """Compare the 28 days, year to date and full year that end on a day with earlier years."""
        return answer("compare", crimes, limit, rows=rows, end=last_day)

    @server.tool()
    def when(crimes: Choice = ALL_CRIMES, limit: Limit = 168) -> Answer:
        """Crimes by hour, weekday and month of the year."""
        return answer("when", crimes, limit)

    @server.tool()
    def where(crimes: Choice = ALL_CRIMES, limit: Limit = DEFAULT_ROWS) -> Answer:
        """Crimes and rates by community area."""
        return answer("where", crimes, limit)

    @server.tool()
    def unusual(crimes: Choice = ALL_CRIMES, limit: Limit = DEFAULT_ROWS) -> Answer:
        """Unusual counts in the latest 28 days and the year to date, compared with the same days of earlier years.

        Only group, type and area filter the result: unusual counts are found among all crimes.
        """
        return answer("signals", crimes, limit)

    @server.tool()
    def incidents(
        crimes: Choice = ALL_CRIMES, page: Annotated[int, Field(ge=1)] = 1, limit: Limit = DEFAULT_ROWS
    ) -> Answer:
        """List the reported crimes, newest first, 50 per page, and the blocks with the most crimes."""
        return answer("incidents", crimes, limit, page=page)

    @server.tool()
    def area_profile(area: str | int, years: list[int] = [], limit: Limit = 20) -> dict[str, Answer]:  # noqa: B006
        """Profile a community area: crimes by type, times, and unusual counts."""
        profiled = Choice(area=(area,), year=tuple(years))
        return {
            "how_much": answer("overview", profiled, limit),
            "when": answer("when", profiled, limit),
            "unusual": answer("signals", Choice(area=(area,)), limit),
        }

    @server.tool()
    def cite() -> str:
        """How to cite figures from this snapshot."""
        return PageRequest(snapshots.data(), Filters()).citation

    if sql:

        @server.tool()
        def query(sql: str, limit: Limit = DEFAULT_ROWS) -> dict[str, Any]:
            """Run one SELECT in DuckDB's SQL on the published tables."""
            reader = snapshots.data().reader
            columns, rows = locked_rows(reader, sql, limit)
            return {"columns": columns, "rows": rows, "snapshot": reader.catalog.snapshot}

    return server
