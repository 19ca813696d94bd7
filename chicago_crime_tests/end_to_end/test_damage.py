"""Files that the source, the gate and a check reject, through the whole graph: a clear error, the old year stays."""

from collections.abc import Callable
from pathlib import Path

import pytest

from chicago_crime_tests.support import crimes_of_months, files_below, folder_settings, run, run_well, write_csv

GOOD = crimes_of_months(2014, per_month=40)


def good_csv(folder: Path) -> bytes:
    return write_csv(folder / "good.csv", GOOD).read_bytes()


def _html(folder: Path) -> Path:
    (folder / "2014.csv").write_text("\n<!doctype html>\n<title>503 Service Unavailable</title>\n")
    return folder / "2014.csv"


def _half_a_download(folder: Path) -> Path:
    content = good_csv(folder / "elsewhere")
    (folder / "2014.csv").write_bytes(content[: len(content) // 2])
    return folder / "2014.csv"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_html, "is an HTML or XML page"),
        (_half_a_download, "480 are loaded"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_damage_fails_the_run_with_a_clear_message_and_the_old_year_stays(
    tmp_path: Path, damage: Callable[[Path], Path], message: str
) -> None:
    folder = tmp_path / "in"
    settings = folder_settings(tmp_path / "data", folder)
    write_csv(folder / "2014.csv", GOOD)
    run_well(settings, 2014, assets="crime_csv,crime_object,raw_crimes,crimes,rejected_crimes")
    kept = [settings.data_dir / name for name in ("warehouse", "objects")]
    before = [files_below(place) for place in kept]
    (folder / "2014.csv").unlink()
    damaged = damage(folder)
    [report] = run(settings, 2014)
    assert not report.success
    output = f"{report.failures} {[check.description for check in report.checks]}"
    assert message in output
    assert damaged.name.split(".")[0] in output
    assert [files_below(place) for place in kept] == before
    assert files_below(settings.data_dir / "staging") == {}
