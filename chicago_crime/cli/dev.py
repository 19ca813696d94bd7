"""`chicago-crime dev`: the Dagster UI and its daemon."""

from importlib.util import find_spec
from typing import Annotated

import typer

from chicago_crime.cli.options import DataOption, FolderOption, SourceOption, chosen_settings, refuse_busy_port


def dev(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 3000,
    source: SourceOption = None,
    folder: FolderOption = None,
    data_dir: DataOption = None,
) -> None:
    """Serve the Dagster UI and its daemon until Ctrl-C.

    The UI also shows runs started from the command line.
    """
    settings = chosen_settings(source=source, folder=folder, data_dir=data_dir)
    refuse_busy_port(port)
    from chicago_crime.cli.screen import out
    from chicago_crime.graph.instance import exec_dagster_dev, prepare_home
    from chicago_crime.reference import checked_estimates

    if find_spec("dagster") is None:  # importing it takes seconds
        raise ModuleNotFoundError(name="dagster")
    checked_estimates(settings.population)  # Dagster would show a traceback
    prepare_home(settings)
    out.print(
        "Dagster is loading the graph and starting its daemon, usually within a minute. The UI will be at "
        f"http://127.0.0.1:{port}  (Ctrl-C stops it)"
    )
    out.file.flush()  # this process becomes Dagster
    exec_dagster_dev(settings, port)
