"""`chicago-crime dev`: the Dagster UI and its daemon."""

from typing import Annotated

import typer

from chicago_crime.cli.options import (
    DataOption,
    FolderOption,
    SourceOption,
    chosen_settings,
    plain_errors,
    refuse_busy_port,
)


def dev(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 3000,
    source: SourceOption = None,
    folder: FolderOption = None,
    data_dir: DataOption = None,
) -> None:
    """Serve the Dagster UI, with its daemon, until Ctrl-C.

    It shows the runs of this command line too.
    """
    with plain_errors():
        from chicago_crime.graph.instance import become_dagster_dev

        settings = chosen_settings(source=source, folder=folder, data_dir=data_dir)
        refuse_busy_port(port)
        become_dagster_dev(settings, port)
