"""Every kind of damage to a source file, through the whole graph: a clear error, and the former year untouched."""

import gzip
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from chicago_crime_tests.support import NAMES, crimes_of_months, files_below, folder_settings, run, run_well, write_csv

GOOD = crimes_of_months(2014, per_month=40)


def good_csv(folder: Path) -> bytes:
    return write_csv(folder / "good.csv", GOOD).read_bytes()


def _empty(folder: Path) -> Path:
    (folder / "2014.csv").write_bytes(b"")
    return folder / "2014.csv"


def _header_only(folder: Path) -> Path:
    return write_csv(folder / "2014.csv", [])


def _html(folder: Path) -> Path:
    (folder / "2014.csv").write_text("\n<!doctype html>\n<title>503 Service Unavailable</title>\n")
    return folder / "2014.csv"


def _without_a_column_that_matters(folder: Path) -> Path:
    rows = [{name: row[name] for name in NAMES if name != "date"} for row in GOOD]
    return write_csv(folder / "2014.csv", rows, header=list(rows[0]))


def _another_year(folder: Path) -> Path:
    return write_csv(folder / "2014.csv", crimes_of_months(2013, per_month=40))


def _cut_off_gzip(folder: Path) -> Path:
    packed = gzip.compress(good_csv(folder / "elsewhere"))
    (folder / "2014.csv.gz").write_bytes(packed[: len(packed) // 2])
    return folder / "2014.csv.gz"


def _cut_off_zip(folder: Path) -> Path:
    file = folder / "2014.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("2014.csv", good_csv(folder / "elsewhere"))
    file.write_bytes(file.read_bytes()[:-30])
    return file


def _half_a_download(folder: Path) -> Path:
    content = good_csv(folder / "elsewhere")
    (folder / "2014.csv").write_bytes(content[: len(content) // 2])
    return folder / "2014.csv"


def _binary(folder: Path) -> Path:
    (folder / "2014.csv").write_bytes(bytes(range(256)) * 100)
    return folder / "2014.csv"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (_empty, "is empty: download it again"),
        (_header_only, "has a header and no rows"),
        (_html, "is an HTML or XML page"),
        (_without_a_column_that_matters, "the header lacks date"),
        (_another_year, "is not a file of 2014"),
        (_cut_off_gzip, "is damaged or truncated"),
        (_cut_off_zip, "is damaged or truncated"),
        (_half_a_download, "480 are loaded"),
        (_binary, "lacks"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_damage_is_told_and_the_former_year_stays(tmp_path: Path, damage: Callable[[Path], Path], told: str) -> None:
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
    message = " ".join([*report.failures.values(), *(check.description for check in report.checks)])
    assert told in message
    assert damaged.name.split(".")[0] in message
    assert [files_below(place) for place in kept] == before
    assert files_below(settings.data_dir / "staging") == {}
