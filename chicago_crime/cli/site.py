"""`chicago-crime site`: the published numbers as a static site, for any web server or none."""

from pathlib import Path
from typing import Annotated

import typer

from chicago_crime.cli.options import AsOfOption, DataOption, chosen_installation, chosen_snapshot, plain_errors


def site(
    folder: Annotated[Path, typer.Argument(help="An empty or new folder, or one with an earlier site.")],
    as_of: AsOfOption = None,
    data_dir: DataOption = None,
) -> None:
    """Write the numbers as a static site.

    It has the city and its places, what is unusual, methods and downloads, and needs no server. What did not change is
    not written again.
    """
    with plain_errors():
        from chicago_crime.cli.screen import errors, out, size
        from chicago_crime.serve.site import write_site

        installation, snapshot = chosen_installation(data_dir=data_dir), chosen_snapshot(as_of)
        with errors.status(f"writing {folder}"):
            done = write_site(installation, folder.absolute(), snapshot)
        out.print(
            f"{folder / 'index.html'}: {done.files} files, {size(done.bytes)}; {done.written} written, "
            f"{done.removed} removed"
        )
