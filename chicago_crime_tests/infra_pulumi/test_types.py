"""The type checker sees slips in the program before it runs, in nested inputs, too, as these are typed dicts."""

import subprocess
import sys
from pathlib import Path

import pytest

from chicago_crime_tests.infra_pulumi.plans import PROGRAM

BROKEN = [
    ('"matches_prefixes"', '"matches_prefix"', 'No overload variant of "Bucket"'),
    ('versioning={"enabled": True}', 'versioning={"enabled": "yes"}', 'No overload variant of "Bucket"'),
    ("public_access_prevention=", "public_access_preventions=", 'did you mean "public_access_prevention"'),
]
"""What is in `lake.py`, what a slip makes of that, and what is said of it."""


def test_slips_that_pulumi_lets_pass_are_seen_and_nothing_else_is(tmp_path: Path) -> None:
    """All at once, as reading the provider's definitions is what takes long. The cache is that of `make test`."""
    text = (PROGRAM / "components" / "lake.py").read_text()
    well = tmp_path / "lake_well.py"
    well.write_text(text)
    files, expected = [well], []
    for number, (right, wrong, said) in enumerate(BROKEN):
        assert right in text, f"the program has no {right} any more: choose another"
        file = tmp_path / f"lake_broken_{number}.py"
        file.write_text(text.replace(right, wrong, 1))
        files.append(file)
        expected.append((file.name, said))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "--cache-dir", ".mypy_cache", *map(str, files)],
        cwd=PROGRAM,
        capture_output=True,
        text=True,
        check=False,
    )
    errors = [line for line in done.stdout.splitlines() if ": error:" in line]
    assert done.returncode == 1, errors or done.stderr
    for name, said in expected:
        assert any(name in line and said in line for line in errors), errors
    assert [line for line in errors if not any(name in line for name, _ in expected)] == []


@pytest.mark.parametrize("name", ["__main__.py", "access.py", "lake.py", "machine.py", "network.py"])
def test_no_part_of_the_program_switches_the_type_checker_off(name: str) -> None:
    (file,) = (each for each in (PROGRAM / name, PROGRAM / "components" / name) if each.exists())
    assert "type: ignore" not in file.read_text()
