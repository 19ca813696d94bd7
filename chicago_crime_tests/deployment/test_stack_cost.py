"""The monthly cost in the documentation of the stack follows from list prices and the stack's defaults."""

import re

import pytest

from benchmarks.stack import BOOT_DISK_GB, main
from chicago_crime_tests.support import PROJECT

INFRA = PROJECT / "infra_pulumi"


def test_the_documentation_has_the_cost_of_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    config = (INFRA / "config.py").read_text()
    machine = re.search(r'machine_type: str = Field\(\s*"([\w-]+)"', config)
    disk = re.search(r"data_disk_gb: int = Field\(\s*(\d+),", config)
    boot = re.search(r'"size": (\d+), "type": "pd-balanced"', (INFRA / "components" / "machine.py").read_text())
    assert machine and disk and boot
    assert int(boot[1]) == BOOT_DISK_GB
    main(["--machine", machine[1], "--data-disk", disk[1]])
    chosen = capsys.readouterr().out
    main([])
    assert capsys.readouterr().out == chosen
    total = re.search(r"│ all +│ +│ +([\d.]+)", chosen)
    assert (
        total and f"{float(total[1]):.0f} USD a month" in (PROJECT / "docs" / "how-to" / "google-cloud.md").read_text()
    )
