"""Tests of staging folders of killed processes; tests of the sources check that others are removed after an error."""

import subprocess
import sys
from pathlib import Path

from chicago_crime.intake.staging import staging_folder

HOLD = """
import sys, time
from pathlib import Path
from chicago_crime.intake.staging import staging_folder
with staging_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("half")
    print(folder, flush=True)
    time.sleep(600)
"""


def holder(root: Path) -> tuple[subprocess.Popen, Path]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    return process, Path(process.stdout.readline().strip())


def test_only_the_folders_of_killed_processes_are_removed(tmp_path: Path) -> None:
    (killed, left), (running, theirs) = holder(tmp_path), holder(tmp_path)
    try:
        killed.kill()
        killed.communicate()
        assert (left / "half").exists()
        with staging_folder(tmp_path) as folder, staging_folder(tmp_path) as other:
            assert {*tmp_path.iterdir()} == {folder, other, theirs}
            assert (theirs / "half").exists()
    finally:
        running.kill()
        running.communicate()
