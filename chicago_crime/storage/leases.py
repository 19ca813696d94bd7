"""Leases: a note on this machine of what a run holds elsewhere, so that the next run can clean up after a dead one.

Here belongs telling whether whoever wrote a note still lives: its process holds a lock on the note's file, which the
kernel lets go when the process ends, however it ends. What a note stands for is its writer's business. And waiting for
whoever lives, where two runs must not do the same at once.
"""

import fcntl
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path


class LeaseHeldError(Exception):
    """Another process that lives holds this lease."""


@contextmanager
def lease(folder: Path, name: str, note: str) -> Iterator[Path]:
    """Hold a lease while the context lasts. Its file stays afterwards, as abandoned, unless the holder removes it.

    Args:
        folder: of all leases of this kind; it is made if need be.
        name: of the lease. One that a dead process left under the same name is taken over.
        note: what the next run must know to clean up.

    Raises:
        LeaseHeldError: a process that lives holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        handle = _lock(folder / name, os.O_RDWR | os.O_CREAT)
    if handle is None:
        raise LeaseHeldError(name)
    try:
        (folder / name).write_text(note)
        yield folder / name
    finally:
        os.close(handle)


def abandoned(folder: Path, besides: str = "") -> Iterator[Path]:
    """The leases of dead processes, but for one name. Each is locked until the next is asked for."""
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        with _alone(folder):
            handle = _lock(file, os.O_RDWR) if file.name != besides and file.exists() else None
        if handle is not None:
            try:
                yield file
            finally:
                os.close(handle)


@dataclass(frozen=True)
class YearLocks:
    """Sees to it that runs on this machine work on a year one after the other, where that matters.

    Attributes:
        folder: of the locks: an empty file for each year, which stays.
    """

    folder: Path

    @contextmanager
    def alone(self, years: Iterable[int], waits: Callable[[int], object] = lambda year: None) -> Iterator[None]:
        """Within, no other run is where it asks for any of these years; it waits, or we do.

        Args:
            years: which years. They are taken in their order, so that two runs never wait for each other.
            waits: is told each year that we have to wait for.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as held:
            for year in sorted(years):
                handle = _lock(self.folder / str(year), os.O_RDWR | os.O_CREAT)
                if handle is None:
                    waits(year)
                    handle = os.open(self.folder / str(year), os.O_RDWR)
                    held.callback(os.close, handle)
                    fcntl.flock(handle, fcntl.LOCK_EX)
                else:
                    held.callback(os.close, handle)
            yield


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else makes or takes a lease meanwhile: a file is never seen between its making and its locking."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _lock(file: Path, flags: int) -> int | None:
    handle = os.open(file, flags, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle
