"""Locks between runs of this machine, which the kernel releases when their process ends, however it ends.

A lease is a note of what a run holds elsewhere, so that the next run can clean up after one that died. Year locks make
runs work on a year one after the other.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from chicago_crime.errors import PlatformError

WAIT_S = 1.0
"""How long a new lease waits for its lock, which a process that looks for abandoned leases may hold for a moment."""


@contextmanager
def lease(folder: Path, name: str, note: str) -> Iterator[Path]:
    """Hold a lease. Its file stays, as an abandoned lease, unless the holder removes it.

    Args:
        folder: of all leases of this kind; it is created if it does not exist.
        name: of the lease. A lease of that name whose process died is taken over.
        note: what the next run must know to clean up; not empty.

    Raises:
        PlatformError: a living process holds the lease.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    try:
        held = FileLock(file).acquire(timeout=WAIT_S)
    except Timeout as error:
        raise PlatformError(f"another process is already running {note}: wait until it ends") from error
    with held:
        file.write_text(note)
        yield file


def abandoned(folder: Path, besides: str = "") -> Iterator[Path]:
    """The leases of dead processes, except one name. Each is locked until the next is requested."""
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.name != besides:
            with suppress(Timeout), FileLock(file, blocking=False):
                if file.stat().st_size:
                    yield file
                else:  # its process has not written the note, and holds nothing yet
                    file.unlink()


@contextmanager
def years_locked(folder: Path, years: Iterable[int], run: str, waits: Callable[[int, str], object]) -> Iterator[None]:
    """Hold the locks of some years, and wait for runs of this machine that hold one of them.

    Args:
        folder: of the locks: a file for each year, which stays and names the run that holds it or was the last to.
        years: which years. They are locked in ascending order, so that two runs never wait for each other.
        run: id of the run that will hold them.
        waits: is called with each year that another run holds, and the id of that run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        for year in sorted(years):
            file = folder / str(year)
            lock = FileLock(file)
            try:
                lock.acquire(blocking=False)
            except Timeout:
                waits(year, file.read_text())
                lock.acquire()
            held.callback(lock.release)
            file.write_text(run)
        yield
