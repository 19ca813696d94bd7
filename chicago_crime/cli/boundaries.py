"""`chicago-crime boundaries`: the City's official boundaries for maps."""

from pathlib import Path
from typing import Annotated

import typer

from chicago_crime.cli.options import DataOption, chosen_installation


def boundaries(
    folder: Annotated[
        Path | None, typer.Option(help="Folder with the City's GeoJSON files. Default: download them.")
    ] = None,
    data_dir: DataOption = None,
) -> None:
    """Fetch the official boundaries for maps and publish them."""
    from chicago_crime.cli.screen import out
    from chicago_crime.definitions import build_definitions
    from chicago_crime.graph.instance import open_instance
    from chicago_crime.graph.run import run_boundaries

    installation = chosen_installation(boundaries=folder, data_dir=data_dir)
    with open_instance(installation.settings) as instance:
        made = run_boundaries(installation, build_definitions(installation), instance)
    out.print(f"{made['places']} from {made['origin']}")
    snapshot = made["snapshot"]
    out.print(f"published as snapshot {snapshot}" if snapshot else "maps will show them once a year is loaded")
