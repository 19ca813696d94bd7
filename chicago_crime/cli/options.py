"""Shared by the commands: options, settings, one-line errors, and the check for a free port."""

import errno
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from chicago_crime.errors import PlatformError, UsageError, how_to_add

if TYPE_CHECKING:  # slow to import, and `--help` does not need them
    from chicago_crime.installation import Installation
    from chicago_crime.settings import Settings

DataOption = Annotated[Path | None, typer.Option("--data-dir", help="Folder for everything the platform writes.")]
AsOfOption = Annotated[
    str | None,
    typer.Option("--as-of", help="Snapshot id, or a day (2026-05-31) for the newest at its end."),
]
SourceOption = Annotated[str | None, typer.Option(help="Source of the data: sample, folder, kaggle or portal.")]
FolderOption = Annotated[Path | None, typer.Option(help="Folder with CSV or JSON files, plain or compressed.")]


_DATA = "the platform's own folder is set by --data-dir or CHICAGO_CRIME_DATA_DIR"
_FREE_SPACE = f". Free some space on that disk, or choose a folder on another one: {_DATA}"
_WRITABLE = f". Choose a writable folder: {_DATA}"
_ADVICE = dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FREE_SPACE) | dict.fromkeys(
    (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST), _WRITABLE
)


def chosen_settings(**options: Any) -> "Settings":
    """Load the settings, with options from the command line (None: not given). `--folder` implies `--source folder`."""
    from chicago_crime.cli.screen import Screen
    from chicago_crime.settings import Settings, load_settings

    Screen.data_dir = options.get("data_dir")
    given = {name: value for name, value in options.items() if value is not None}
    implied: dict[str, Any] = {"source": "folder"} if "folder" in given and "source" not in given else {}
    settings = load_settings(given, **implied)
    for name in given:
        source = name.partition("_")[0]  # settings of a source begin with its name
        if source in get_args(Settings.model_fields["source"].annotation) and source != settings.source:
            problem = f"--{name.replace('_', '-')} is for the source {source}, but the source is {settings.source}"
            raise UsageError(f"{problem}: omit it, or choose --source {source}")
    return settings


def chosen_installation(**options: Any) -> "Installation":
    """Build the installation with these options."""
    from chicago_crime.installation import Installation

    return Installation(chosen_settings(**options))


@contextmanager
def plain_errors() -> Iterator[None]:
    """Print errors that a user can fix as one message, without a traceback."""
    try:
        yield
    except BrokenPipeError:  # the reader closed the pipe
        raise
    except Exception as error:
        message = str(error) if isinstance(error, PlatformError) else _machine_problem(error)
        if message is None:
            raise
        from chicago_crime.cli.screen import errors, printable

        errors.print(printable(message, keep="\n"), style="red")
        raise typer.Exit(error.exit_code if isinstance(error, PlatformError) else 1) from None


# A run imports Dagster before any module that the dashboard needs, too.
_PIPELINE = ("apprise", "dagster", "pandas", "pysail", "pyspark", "sqlalchemy", "tenacity")


def how_to_install(error: BaseException | None) -> str | None:
    """Return how to install a missing module; None for other errors."""
    missing = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if missing in ("", __name__.partition(".")[0]):
        return None
    return how_to_add("pipeline,spark" if missing in _PIPELINE else "dashboard")


def _machine_problem(error: BaseException) -> str | None:
    """Describe a problem of the machine, such as a full disk or a missing extra; None if the error is a bug."""
    duckdb = sys.modules.get("duckdb")
    if how := how_to_install(error):
        return f"this command needs packages that are not installed: {how}"
    if isinstance(error, OSError):  # Arrow's have neither file name nor errno
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}{_ADVICE.get(error.errno or 0, '')}"
    if isinstance(error, MemoryError) or (
        duckdb and isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException)
    ):
        return str(error) or "out of memory"
    return _machine_problem(error.__cause__) if error.__cause__ else None


def refuse_busy_port(port: int, host: str = "127.0.0.1") -> None:
    """Check that a server can listen on this address.

    Raises:
        UsageError: the port is in use, or the address does not belong to this machine.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do, to reuse a just closed port
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise UsageError(
                    f"port {port} is in use: stop the program that uses it, or choose another --port"
                ) from error
            choice = "--port" if error.errno == errno.EACCES else "--host"
            raise UsageError(f"cannot listen on {host}:{port} ({error.strerror}): choose another {choice}") from error
