"""`chicago-crime site`: the published numbers as a static site."""

from pathlib import Path
from typing import Annotated

import typer

from chicago_crime.cli.options import AsOfOption, DataOption, chosen_installation


def site(
    folder: Annotated[Path, typer.Argument(help="New or empty folder, or one with an earlier site.")],
    as_of: AsOfOption = None,
    data_dir: DataOption = None,
) -> None:
    """Write the published numbers as a static site.

    It has pages on the city and its places, unusual counts, methods and downloads, and works without a server. Files
    that are up to date are not rewritten.
    """
    from rich.filesize import decimal as size

    from chicago_crime.cli.screen import out, progress_bar
    from chicago_crime.serve.site import write_site

    installation = chosen_installation(data_dir=data_dir)
    bar = progress_bar()
    task = bar.add_task("pages and downloads", total=None)

    def show(done: int, total: int | None) -> None:
        if done == 1:
            out.print(f"Writing {folder}: a new site takes a few minutes.")
        bar.update(task, completed=done, total=total)
        tenths = 10 * done // total if total else 0
        if bar.disable and total and tenths > 10 * (done - 1) // total:
            out.print(f"{done} of {total} pages and downloads written")

    with bar:
        done = write_site(installation, folder.absolute(), as_of, show)
    out.print(
        f"{folder / 'index.html'}: {done.files} files, {size(done.bytes)}; {done.written} written, "
        f"{done.removed} removed"
    )
