"""Tests of the MCP server with the SDK's client over standard input and output, as assistants use it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from mcp import Client, StdioServerParameters, stdio_client

from chicago_crime.errors import UsageError
from chicago_crime.installation import Installation
from chicago_crime.serve.locked import locked_rows
from chicago_crime.settings import Settings
from chicago_crime_tests.end_to_end.browsing import PROGRAM


def call_tools(settings: Settings, *calls: tuple[str, dict[str, Any]], options: tuple[str, ...] = ()) -> list[Any]:
    """Return the names of the tools, followed by the result of each call."""
    program, *arguments = [*PROGRAM, "mcp", "--data-dir", str(settings.data_dir), *options]

    async def results() -> list[Any]:
        async with Client(stdio_client(StdioServerParameters(command=program, args=arguments))) as client:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            return [tools, *[await client.call_tool(name, arguments) for name, arguments in calls]]

    with ThreadPoolExecutor(1) as pool:  # Playwright's event loop occupies the main thread after browser tests
        return pool.submit(anyio.run, results).result()


def test_answers_include_filters_caveats_and_citation(sample: Settings) -> None:
    choice = {"year": [2016], "area": ["hyde park"], "type": ["theft"]}
    tools, described, columns, counted, cited, *others = call_tools(
        sample,
        ("describe", {}),
        ("describe", {"table": "crimes"}),
        ("count", {"crimes": choice}),
        ("cite", {}),
        *((name, {"crimes": choice}) for name in ("trend", "compare", "when", "where", "incidents")),
        ("unusual", {}),
        ("unusual", {"crimes": {"area": 25, "type": "CRIM SEXUAL ASSAULT"}}),
        ("area_profile", {"area": "Austin"}),
    )
    assert [answer.content[0].text for answer in others if answer.is_error] == []
    compared, hours = (answer.structured_content["sections"][0]["tables"][0] for answer in others[1:3])
    assert (compared["caption"], len(hours["rows"])) == ("Counts by area", 7 * 24)
    assert len(tools) == 10 and "query" not in tools
    assert described.structured_content["crime_types"][0] == "THEFT"
    assert "does not mean the case was cleared" in columns.structured_content["columns"]["arrest"]
    answer = counted.structured_content
    assert answer["filters"] == {"year": ["2016"], "type": ["THEFT"], "area": ["41"]}
    [types] = [section for section in answer["sections"] if section["name"] == "types"]
    assert [row["name"] for row in types["tables"][0]["rows"]] == ["THEFT"]
    assert any("clearance" in caveat for caveat in types["caveats"])
    assert cited.content[0].text == answer["citation"]


INVALID: list[tuple[dict[str, Any], str]] = [
    ({"type": "ROBERY"}, "there is no crime type 'ROBERY'. Closest matches: ROBBERY"),
    ({"area": ["Hide Park"]}, "there is no community area 'Hide Park'. Closest matches: Hyde Park"),
    ({"year": [2999]}, "'2999' is outside 2001-"),
    ({"hour": [24]}, "less than or equal to 23"),
    ({"group": ["guns"]}, "crimes.group.0: Input should be 'homicide'"),
    ({"types": ["ROBBERY"]}, "crimes.types: Extra inputs are not permitted"),
    ({"year": ["soon"]}, "crimes.year.0: Input should be a valid integer"),
]


def test_errors_on_invalid_arguments_suggest_valid_ones(sample: Settings) -> None:
    nothing = {"type": ["ARSON"], "start": "2016-03-01", "finish": "2016-03-01", "beat": [111]}
    sql = "SELECT year, SUM(crimes) FROM crimes_monthly GROUP BY year ORDER BY year"
    tools, counted, unknown, missing, zero, *answers = call_tools(
        sample,
        ("query", {"sql": sql}),
        ("count", {"type": ["ROBBERY"]}),
        ("area_profile", {}),
        ("count", {"crimes": nothing}),
        *(("count", {"crimes": choice}) for choice, _ in INVALID),
        options=("--sql",),
    )
    assert "query" in tools
    assert counted.structured_content["rows"] == [[2014, 4000], [2015, 4000], [2016, 4000]]
    wrong = "type: not an argument of count, which accepts crimes, limit; filters go inside"
    assert unknown.content[0].text.startswith(wrong)
    assert missing.content[0].text == "area: Field required (got {})"
    assert zero.structured_content["numbers"][0]["value"] == "0"
    for answer, (_, problem) in zip(answers, INVALID, strict=True):
        assert answer.is_error
        assert problem in answer.content[0].text and "pydantic" not in answer.content[0].text


def test_sql_can_read_the_snapshot_and_nothing_else(sample: Settings) -> None:
    reader = Installation(sample).reader()
    assert locked_rows(reader, "SELECT 1 AS n", 10) == (["n"], [(1,)])
    for sql, problem in {
        "FROM read_csv('/etc/passwd')": "file system operations are disabled|Permission",
        f"COPY (SELECT 1) TO '{sample.data_dir / 'stolen.csv'}'": "only a single SELECT is allowed",
        "SET enable_external_access = true": "only a single SELECT is allowed",
        "SELECT 1; SELECT 2": "only a single SELECT is allowed",
        "FROM 'https://example.org/data.parquet'": "file system operations are disabled",
        "SELECT repeat('a', 2000000000)": "Out of Memory",
        "SELECT repeat('a', 2000000)": "more than 1,000,000: narrow the query",
        "SELECT COUNT(*) FROM range(1000000) a, range(1000000) b": "stopped after 10 s",
    }.items():
        with pytest.raises(UsageError, match=problem):
            locked_rows(reader, sql, 10)
