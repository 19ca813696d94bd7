"""`chicago-crime dashboard`: charts, maps and tables in a browser."""

from typing import Annotated

import typer

from chicago_crime.cli.options import AsOfOption, DataOption, chosen_settings, refuse_busy_port


def dashboard(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port.")] = 8050,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 only inside a container.")] = "127.0.0.1",
    as_of: AsOfOption = None,
    data_dir: DataOption = None,
) -> None:
    """Serve the dashboard until Ctrl-C.

    Pages: Signals, Overview, Where, When, Compare, Incidents and Data.
    """
    settings = chosen_settings(data_dir=data_dir)
    refuse_busy_port(port, host)
    from chicago_crime.cli.screen import out
    from chicago_crime.dashboard.app import Dashboard
    from chicago_crime.dashboard.serve import MEMORY, serve
    from chicago_crime.installation import Installation
    from chicago_crime.serve.programs import add_programs

    installation = Installation(settings.model_copy(update={"duckdb_memory": MEMORY}))
    shown = Dashboard(installation, as_of)
    add_programs(shown)
    serve(shown, port, host, out.print)
