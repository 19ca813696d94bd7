"""Staging folders, and how a file is published from one.

Everything the platform writes goes to a staging folder first and is moved to its place when it is complete. So readers
see the old file or the new one, and a crash leaves the old one.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4


@contextmanager
def staging_folder(root: Path) -> Iterator[Path]:
    """A new folder in `root`, which is removed afterwards.

    It also removes the folders of processes that were killed. The lock of a folder is a file beside it, which its
    process locks first and removes last: a folder whose lock is free belongs to nobody.
    """
    from filelock import FileLock, Timeout  # here, because commands that only read need not wait for the import

    root.mkdir(parents=True, exist_ok=True)
    for folder in {entry.with_suffix("") for entry in root.iterdir()}:
        with suppress(Timeout), FileLock(_lock_of(folder), blocking=False):
            _remove(folder)
    folder = root / uuid4().hex
    with FileLock(_lock_of(folder), thread_local=False):  # a folder may be closed by another thread
        folder.mkdir()
        try:
            yield folder
        finally:
            _remove(folder)


def _lock_of(folder: Path) -> Path:
    return folder.with_suffix(".lock")


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    _lock_of(folder).unlink(missing_ok=True)


def publish(file: Path, target: Path) -> None:
    """Move a complete file from a staging folder to its place, and see that it survives a power cut.

    Both must be on one file system: only there is a rename atomic.
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
