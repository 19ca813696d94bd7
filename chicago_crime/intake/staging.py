"""Staging folders, and publishing files from them.

Every file is written to a staging folder and moved to its place when it is complete. Readers see either the old file or
the new one, and a crash leaves the old one.
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
    """Create a temporary folder in `root`, and remove the folders of killed processes.

    Each folder has a lock file of the same name in `<root>-locks`, which is locked before the folder is created and
    removed after it. A folder whose lock is free was left by a killed process.
    """
    from filelock import FileLock, Timeout  # slow to import, and only writers need it

    locks = root.with_name(f"{root.name}-locks")
    for folder in (root, locks):
        folder.mkdir(parents=True, exist_ok=True)
    for name in {entry.name for entry in (*root.iterdir(), *locks.iterdir())}:
        with suppress(Timeout), FileLock(locks / name, blocking=False):
            _remove(root / name, locks / name)
    folder = root / uuid4().hex
    lock = locks / folder.name
    with FileLock(lock, thread_local=False):  # another thread may release it
        folder.mkdir()
        try:
            yield folder
        finally:
            _remove(folder, lock)


def _remove(folder: Path, lock: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.unlink(missing_ok=True)


def publish(file: Path, target: Path) -> None:
    """Move a complete file from a staging folder to its place, durably.

    Both must be on the same file system, because only then is the rename atomic.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    _sync(file)
    file.replace(target)
    _sync(target.parent)


@contextmanager
def complete_file(target: Path) -> Iterator[BinaryIO]:
    """Open an output file that gets its name when it is complete; devices and pipes are written directly."""
    if target.exists() and not target.is_file():
        with target.open("wb") as stream:
            yield stream
        return
    resolved = target.resolve()
    unfinished = resolved.with_name(f".{resolved.name}.unfinished")
    try:
        with unfinished.open("wb") as stream:
            yield stream
        unfinished.replace(resolved)
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
