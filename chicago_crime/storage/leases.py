"""Locks between runs on one machine. The kernel releases them when the process ends, even if it is killed.

A lease records what a run holds elsewhere, for the next run to clean up if this one dies. Year locks serialize runs
that load the same year.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from chicago_crime.errors import PlatformError

WAIT_S = 1.0
"""Timeout for a new lease's lock, which another process may hold briefly while it looks for abandoned leases."""


@contextmanager
def lease(folder: Path, name: str, note: str) -> Iterator[Path]:
    """Hold a lease. Unless the holder deletes its file, the file stays behind as an abandoned lease.

    An abandoned lease of the same name is taken over. The note, which is not empty, is what the next run needs to
    clean up.

    Raises:
        PlatformError: a running process holds the lease.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    try:
        held = FileLock(file).acquire(timeout=WAIT_S)
    except Timeout as error:
        raise PlatformError(f"another process holds this {note}: wait until it ends") from error
    with held:
        file.write_text(note)
        yield file


def abandoned(folder: Path) -> Iterator[Path]:
    """Yield the leases of dead processes. Each stays locked until the next is requested."""
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        with suppress(Timeout), FileLock(file, blocking=False):
            if file.stat().st_size:
                yield file
            else:  # its process wrote no note, so it holds nothing
                file.unlink()


@contextmanager
def years_locked(folder: Path, years: Iterable[int], run: str, on_wait: Callable[[int, str], object]) -> Iterator[None]:
    """Lock some years, in ascending order to avoid deadlocks, after waiting for runs on this machine that hold any.

    The lock files, one per year, stay, and each names the last run that held it. `on_wait` is called with each year
    that another run holds, and the id of that run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        for year in sorted(years):
            file = folder / str(year)
            lock = FileLock(file)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                on_wait(year, file.read_text())
                lock.acquire()
            held.callback(lock.release)
            file.write_text(run)
        yield
