"""Staging folders and the one way in which a file is published.

Everything the platform writes is written into a staging folder first and moved to its place when it is whole. So a
reader sees the old file or the new one, and a crash leaves the old one. Which files these are is no business of this
module.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def staging_folder(root: Path) -> Iterator[Path]:
    """A fresh folder in `root`, gone afterwards whatever happens.

    Folders that a killed process left are removed on the way: each process holds a lock on its own, which the kernel
    lets go when the process ends, so a folder whose lock is free belongs to nobody.
    """
    root.mkdir(parents=True, exist_ok=True)
    root_lock = os.open(root, os.O_RDONLY)
    try:
        fcntl.flock(root_lock, fcntl.LOCK_EX)  # no sweep between the making of a folder and its lock
        for entry in root.iterdir():
            _remove_if_abandoned(entry)
        folder = Path(tempfile.mkdtemp(dir=root))
        own_lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(own_lock, fcntl.LOCK_EX)
    finally:
        os.close(root_lock)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(own_lock)


def _remove_if_abandoned(folder: Path) -> None:
    with suppress(FileNotFoundError):
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def publish(file: Path, target: Path) -> None:
    """Move a whole file from a staging folder to its place, so that it is there even after a power cut.

    Both must be on one file system: a rename is atomic only there.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _sync(file)
    file.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
