"""The MCP server: typed tools with which an assistant asks what the pages show, and gets the caveats as well."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from chicago_crime.reference import offense_groups
from chicago_crime.serve.answers import Answer, answer_page
from chicago_crime.serve.locked import locked_rows
from chicago_crime.tables import TABLES

INSTRUCTIONS = (
    "Reported crime in Chicago since 2001, from one published snapshot. Answers have caveats: pass them on with the "
    "numbers. Arrest flags are no clearance rates, counts of days that a caveat calls provisional still grow, and the "
    "data say nothing about victims."
)
ROWS_GIVEN = 50

Limit = Annotated[int, Field(ge=1, le=500, description="most rows of each table")]


def _in_a_list(value: Any) -> Any:
    """A single value is understood as the only one of a list."""
    return [value] if isinstance(value, str | int) else value


def _argument(name: str) -> Any:
    """The type of a filter and what it means; what a snapshot has is known by its name, too, and checked later."""
    meaning = TypeAdapter(VALUES[name]).json_schema()["description"]
    one: Any = str | int if name in OF_SNAPSHOT else VALUES[name]
    if isinstance(default := getattr(Filters, name), tuple):
        several: Any = Annotated[GenericAlias(tuple, (one, ...)), BeforeValidator(_in_a_list)]
        return several, Field(default, description=meaning)
    return one | None, Field(default, description=meaning)


Filter = create_model("Filter", **{name: _argument(name) for name in VALUES if name not in (*VIEWS, "as_of")})


class Choice(Filter):  # type: ignore[misc, valid-type]
    """Which crimes are meant. Whatever is left out is not filtered by; of several values, any may match."""

    model_config = ConfigDict(extra="forbid")


ALL_CRIMES = Choice()
FILTERS_BELONG = 'filters belong inside crimes, as {"crimes": {"type": ["ROBBERY"]}}'


class Server(MCPServer):
    """A server that says of wrong arguments which are wrong, and what is right."""

    @override
    async def call_tool(self, name: str, arguments: dict[str, Any], context: Context[Any, Any] | None = None) -> Any:
        tools = {tool.name: tool.input_schema["properties"] for tool in await self.list_tools()}
        if unknown := [one for one in arguments if one not in tools.get(name, arguments)]:
            hint = f"; {FILTERS_BELONG}" if "crimes" in tools[name] and {*unknown} & VALUES.keys() else ""
            raise ToolError(f"{', '.join(unknown)}: no argument of {name}, which has {', '.join(tools[name])}{hint}")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            problems = error.__cause__.errors()
        told = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}, and not {one['input']!r}" for one in problems)
        raise ToolError("; ".join(told))


def build_server(snapshots: Snapshots, sql: bool = False) -> MCPServer:
    """The server with its tools.

    Args:
        snapshots: what the tools answer from.
        sql: whether there is a tool for free SQL, too.
    """
    server = Server("chicago-crime", instructions=INSTRUCTIONS, version=version("chicago-crime"), log_level="WARNING")

    def answer(name: str, crimes: Choice, limit: int, only: Sequence[str] = (), **more: Any) -> Answer:
        with _told():
            data = snapshots.data()
            request = PageRequest(data, require_known(data, Filters(**dict(crimes) | more)))
            return _cut(answer_page(request, PAGES[name][1]), limit, only)

    @server.tool()
    def describe(table: str | None = None) -> dict[str, Any]:
        """What is loaded: years, offense groups, tables; or the columns of one table with unit and caveat."""
        if table:
            with _told():
                [name] = known({name: name for name in TABLES}, [table], "table")
            columns = {column.name: f"{column.type}: {column.description}" for column in TABLES[name].columns}
            return {"table": name, "one_row_is": TABLES[name].grain, "columns": columns}
        with _told():
            facts = snapshots.data().facts()
        return {
            "years": {year: f"{one.crimes:,} crimes to {one.last_day}" for year, one in facts.years.items()},
            "synthetic_years": facts.synthetic,
            "offense_groups": {name: f"{one.label}: {one.note}" for name, one in offense_groups().items()},
            "crime_types": facts.choices["type"],
            "community_areas": facts.areas,
            "tables": {name: one.description for name, one in TABLES.items()},
        }

    @server.tool()
    def count(crimes: Choice = ALL_CRIMES, limit: Limit = ROWS_GIVEN) -> Answer:
        """How many crimes were reported, of which types, and how the newest year compares with the one before."""
        return answer("overview", crimes, limit)

    @server.tool()
    def trend(crimes: Choice = ALL_CRIMES, limit: Limit = 300) -> Answer:
        """Crimes month by month, beside the range expected from the same months of earlier years."""
        return answer("overview", crimes, limit, only=("trend",))

    @server.tool()
    def compare(
        crimes: Choice = ALL_CRIMES,
        rows: Literal[ROWS] = "type",  # type: ignore[valid-type]
        last_day: date | None = None,
        limit: Limit = ROWS_GIVEN,
    ) -> Answer:
        """The 28 days, the year to date and the whole year that end on a day, against the years before."""
        return answer("compare", crimes, limit, rows=rows, end=last_day)

    @server.tool()
    def when(crimes: Choice = ALL_CRIMES, limit: Limit = ROWS_GIVEN) -> Answer:
        """Crimes by hour, weekday and month of the year."""
        return answer("when", crimes, limit)

    @server.tool()
    def where(crimes: Choice = ALL_CRIMES, limit: Limit = ROWS_GIVEN) -> Answer:
        """Crimes and rates by community area."""
        return answer("where", crimes, limit)

    @server.tool()
    def unusual(crimes: Choice = ALL_CRIMES, limit: Limit = ROWS_GIVEN) -> Answer:
        """What is unusual in the newest 28 days and the year to date, compared with the same days of earlier years.

        Only groups, types and areas choose what is shown: signals are found among all crimes.
        """
        return answer("signals", crimes, limit)

    @server.tool()
    def incidents(
        crimes: Choice = ALL_CRIMES, page: Annotated[int, Field(ge=1)] = 1, limit: Limit = ROWS_GIVEN
    ) -> Answer:
        """The reported crimes themselves, newest first, 50 a page, and the blocks with most of them."""
        return answer("incidents", crimes, limit, page=page)

    @server.tool()
    def area_profile(area: str | int, years: list[int] = [], limit: Limit = 20) -> dict[str, Answer]:  # noqa: B006
        """A community area: how much crime of which types, when, and what is unusual there."""
        there = Choice(area=(area,), year=tuple(years))
        return {
            "how_much": answer("overview", there, limit),
            "when": answer("when", there, limit),
            "unusual": answer("signals", Choice(area=(area,)), limit),
        }

    @server.tool()
    def cite() -> str:
        """How to cite a figure of this snapshot."""
        with _told():
            return PageRequest(snapshots.data(), Filters()).citation

    if sql:

        @server.tool()
        def query(sql: str, limit: Limit = ROWS_GIVEN) -> dict[str, Any]:
            """The answer to one SELECT in DuckDB's SQL over the published tables."""
            with _told():
                reader = snapshots.data().reader
                columns, rows = locked_rows(reader, sql, limit)
            return {"columns": columns, "rows": rows, "snapshot": reader.catalog.snapshot}

    return server


@contextmanager
def _told() -> Iterator[None]:
    """Pass on what went wrong in words that an assistant can act on."""
    try:
        yield
    except PlatformError as error:
        raise ToolError(str(error)) from error


def _cut(answer: Answer, limit: int, only: Sequence[str]) -> Answer:
    """An answer with the chosen sections, and the first rows of each table with a note on the others."""
    sections = [section for section in answer.sections if not only or section.name in only]
    for table in (table for section in sections for table in section.tables):
        if len(table.rows) > limit:
            table.caption += f" ({limit} of {table.matching:,} rows)"
            table.rows = table.rows[:limit]
    return answer.model_copy(update={"sections": sections})
