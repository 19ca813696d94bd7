"""What the modules of the command line share: the data folder's option, settings, and errors told in one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.settings import Settings, load_settings

DataOption = Annotated[Path | None, typer.Option("--data-dir", help="Folder for everything the platform writes.")]


def chosen_settings(**overrides: Any) -> Settings:
    """The settings, with those that were named on the command line; None stands for not named."""
    return load_settings(**{name: value for name, value in overrides.items() if value is not None})


@contextmanager
def errors_told() -> Iterator[None]:
    """Tell what users can mend in one line, not in a traceback."""
    try:
        yield
    except UsageError as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(2) from None
    except PlatformError as error:
        typer.secho(str(error), fg="red", err=True)
        raise typer.Exit(1) from None
