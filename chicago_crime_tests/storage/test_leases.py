"""Tests of leases, including those of killed processes."""

import subprocess
import sys
from pathlib import Path

import pytest

from chicago_crime.errors import PlatformError
from chicago_crime.storage.leases import abandoned, lease


def test_a_lease_that_its_holder_does_not_remove_is_abandoned(tmp_path: Path) -> None:
    with lease(tmp_path, "a", "note of a"):
        assert list(abandoned(tmp_path)) == []
    with lease(tmp_path, "b", "note of b") as file:
        file.unlink()
    assert [(file.name, file.read_text()) for file in abandoned(tmp_path)] == [("a", "note of a")]
    assert list(abandoned(tmp_path / "none")) == []
    for _ in abandoned(tmp_path):
        assert list(abandoned(tmp_path)) == [], "it is locked while it is cleaned up"
    (tmp_path / "a").write_text("")
    assert list(abandoned(tmp_path)) == []
    assert list(tmp_path.iterdir()) == [], "a lease without a note is removed"


def test_a_killed_process_releases_its_lease(tmp_path: Path) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from chicago_crime.storage.leases import lease\n"
        "with lease(Path(sys.argv[1]), 'a', 'note'):\n    print('held', flush=True)\n    time.sleep(600)\n"
    )
    process = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "held\n"
    assert list(abandoned(tmp_path)) == []
    with pytest.raises(PlatformError), lease(tmp_path, "a", "another"):
        pass
    process.kill()
    process.wait()
    assert [file.name for file in abandoned(tmp_path)] == ["a"]
    with lease(tmp_path, "a", "taken over") as file:
        assert file.read_text() == "taken over"
