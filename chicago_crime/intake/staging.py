"""Staging folders, and how a file is published from one.

Everything the platform writes goes to a staging folder first and is moved to its place when it is complete. So readers
see the old file or the new one, and a crash leaves the old one.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4


@contextmanager
def staging_folder(root: Path) -> Iterator[Path]:
    """A new folder in `root`, which is removed afterwards.

    It also removes the folders of processes that were killed. Each folder has a lock of its name, in a folder beside
    `root`, which its process locks first and removes last: a folder whose lock is free belongs to nobody.
    """
    from filelock import FileLock, Timeout  # here, because commands that only read need not wait for the import

    locks = root.with_name(f"{root.name}-locks")
    for folder in (root, locks):
        folder.mkdir(parents=True, exist_ok=True)
    for name in {entry.name for entry in (*root.iterdir(), *locks.iterdir())}:
        with suppress(Timeout), FileLock(locks / name, blocking=False):
            _remove(root / name, locks / name)
    folder = root / uuid4().hex
    lock = locks / folder.name
    with FileLock(lock, thread_local=False):  # a folder may be closed by another thread
        folder.mkdir()
        try:
            yield folder
        finally:
            _remove(folder, lock)


def _remove(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.unlink(missing_ok=True)


def publish(file: Path, target: Path) -> None:
    """Move a complete file from a staging folder to its place, and see that it survives a power cut.

    Both must be on one file system: only there is a rename atomic.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _sync(file)
    file.replace(target)
    _sync(target.parent)


@contextmanager
def complete_file(target: Path) -> Iterator[BinaryIO]:
    """A file of a user's, which gets its name when it is complete; a device or a pipe is written as it is."""
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:
            yield stream
        return
    place = target.resolve()
    unfinished = place.with_name(f".{place.name}.unfinished")
    try:
        with unfinished.open("wb") as stream:
            yield stream
        unfinished.replace(place)
    except OSError as error:
        if error.filename == str(unfinished):
            error.filename = str(target)
        raise
    finally:
        with suppress(OSError):
            unfinished.unlink()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
