"""What the commands share: options, settings, errors in one line, and the check that a port is free."""

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from chicago_crime.errors import PlatformError, UsageError

if TYPE_CHECKING:  # slow to import, and `--help` does not need them
    from chicago_crime.installation import Installation
    from chicago_crime.settings import Settings

DataOption = Annotated[Path | None, typer.Option("--data-dir", help="Folder for everything the platform writes.")]
AsOfOption = Annotated[
    str | None, typer.Option("--as-of", help="Snapshot: the newest at the end of a day (2026-05-31), or its id.")
]
SourceOption = Annotated[str | None, typer.Option(help="Source of the CSVs: sample, folder, kaggle or portal.")]
FolderOption = Annotated[Path | None, typer.Option(help="Folder with CSV or JSON files, plain or compressed.")]


_DATA = "the platform's own is --data-dir or CHICAGO_CRIME_DATA_DIR"
_FREE_SPACE = f". Free some space on that disk, or choose a folder on another: {_DATA}"
_WRITABLE = f". Choose a folder in which you may write: {_DATA}"
_ADVICE = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FREE_SPACE) | dict.fromkeys(
    (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST), _WRITABLE
)


def chosen_settings(**options: Any) -> "Settings":
    """The settings, with those from the command line; None means not given. `--folder` implies `--source folder`."""
    from chicago_crime.cli.screen import Screen
    from chicago_crime.settings import Settings, load_settings

    Screen.data_dir = options.get("data_dir")
    given = {name: value for name, value in options.items() if value is not None}
    implied = {"source": "folder"} if "folder" in given and "source" not in given else {}
    settings = load_settings(given, **implied)
    for name in given:
        of = name.partition("_")[0]  # settings of a source begin with its name
        if of in get_args(Settings.model_fields["source"].annotation) and of != settings.source:
            problem = f"--{name.replace('_', '-')} is of the source {of}, and the source is {settings.source}"
            raise UsageError(f"{problem}: leave it out, or choose --source {of}")
    return settings


def chosen_installation(**options: Any) -> "Installation":
    """The installation with these settings."""
    from chicago_crime.installation import Installation

    return Installation(chosen_settings(**options))


@contextmanager
def plain_errors() -> Iterator[None]:
    """Print errors that a user can fix as a message, without a traceback."""
    try:
        yield
    except BrokenPipeError:  # the reader of a pipe has enough
        raise
    except Exception as error:
        message = str(error) if isinstance(error, PlatformError) else _of_machine(error)
        if message is None:
            raise
        from chicago_crime.cli.screen import errors, printable

        errors.print(printable(message, keep="\n"), style="red")
        raise typer.Exit(error.exit_code if isinstance(error, PlatformError) else 1) from None


_PIPELINE = "dagster pandas pysail pyspark sqlalchemy tenacity"
# Of the modules in both, a run looks for none before it looks for Dagster.
_DASHBOARD = "jinja2 markdown_it mcp markupsafe numpy pyarrow shapely sqlglot starlette uvicorn vl_convert"
_EXTRAS = dict.fromkeys(_PIPELINE.split(), "pipeline,spark") | dict.fromkeys(_DASHBOARD.split(), "dashboard")


def how_to_install(error: BaseException | None) -> str | None:
    """The command that installs what is missing; None if the error has another reason."""
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return f"pip install 'chicago-crime[{_EXTRAS[missing]}]'" if missing in _EXTRAS else None


def _of_machine(error: BaseException) -> str | None:
    """What is wrong with the machine, such as a full disk or a missing extra; None if the error is a bug."""
    duckdb = sys.modules.get("duckdb")
    if how := how_to_install(error):
        return f"this command needs more than the core of the package: {how}"
    if isinstance(error, OSError):  # Arrow's, such as DuckDB's of a row, have words only
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}{_ADVICE.get(error.errno or 0, '')}"
    if isinstance(error, MemoryError) or (duckdb and isinstance(error, duckdb.Error)):
        return str(error) or "out of memory"
    return _of_machine(error.__cause__) if error.__cause__ else None


def refuse_busy_port(port: int, host: str = "127.0.0.1") -> None:
    """Check that a server can listen there.

    Raises:
        UsageError: the port is in use, or the address is not one of this machine.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: a port just closed is free
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise UsageError(f"port {port} is in use: stop what uses it, or choose another with --port") from error
            raise UsageError(f"cannot listen on {host}:{port} ({error.strerror}): choose another --port") from error
