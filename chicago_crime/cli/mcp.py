"""`chicago-crime mcp`: the published tables for AI assistants, over the Model Context Protocol."""

from typing import Annotated

import typer

from chicago_crime.cli.options import AsOfOption, DataOption, chosen_installation


def mcp(
    sql: Annotated[bool, typer.Option("--sql", help="Add a tool that runs read-only SQL on the snapshot.")] = False,
    as_of: AsOfOption = None,
    data_dir: DataOption = None,
) -> None:
    """Serve the tables to an AI assistant (MCP over stdio)."""
    from chicago_crime.dashboard.data import Snapshots
    from chicago_crime.serve.tools import build_server

    snapshots = Snapshots(chosen_installation(data_dir=data_dir), as_of)
    build_server(snapshots, sql).run("stdio")
