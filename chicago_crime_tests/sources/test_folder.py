"""Tests of `chicago_crime/sources/folder.py`."""

import gzip
import zipfile
from pathlib import Path

import pytest

from chicago_crime.sources.base import SourceError
from chicago_crime.sources.folder import FolderSource

CONTENT = b"id,date\n" + b"1,2014\n" * 400_000


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


@pytest.fixture
def downloads(tmp_path: Path) -> Path:
    (tmp_path / "downloads").mkdir()
    return tmp_path / "downloads"


def put(downloads: Path, name: str, member: str = "") -> Path:
    file = downloads / name
    if name.endswith(".gz"):
        file.write_bytes(gzip.compress(CONTENT, 1))
    elif name.endswith(".zip"):
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(member, CONTENT)
    else:
        file.write_bytes(CONTENT)
    return file


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("Chicago_Crimes_2014.csv", ""),
        ("crimes-2014.CSV", ""),
        ("2014.csv.gz", ""),
        ("Chicago_Crimes_2014.zip", "crimes.csv"),
        ("archive.zip", "data/Chicago_Crimes_2014.csv"),
        ("all-2001-to-2022.zip", "2014.csv"),
    ],
)
def test_a_years_file_is_found_and_unpacked(downloads: Path, target: Path, name: str, member: str) -> None:
    put(downloads, name, member)
    (downloads / "notes_2014.txt").write_text("not a CSV")
    progress: list[int] = []
    source = FolderSource(downloads)
    file = source.fetch(2014, target, lambda done, total: progress.append(done))
    assert source.years() == [2014]
    assert file.path.parent == target
    assert file.path.read_bytes() == CONTENT
    assert name in file.origin
    assert progress[-1] == len(CONTENT)
    assert not file.synthetic


def test_the_error_for_a_missing_year_lists_the_available_ones(downloads: Path, target: Path) -> None:
    put(downloads, "2014.csv")
    put(downloads, "2016.csv.gz")
    put(downloads, "crimes_2001_to_2004.csv")
    with pytest.raises(SourceError, match=r"no file for 2015.*Years found: 2014, 2016"):
        FolderSource(downloads).fetch(2015, target)


def test_two_files_of_a_year_are_an_error(downloads: Path, target: Path) -> None:
    put(downloads, "2014.csv")
    put(downloads, "2014.csv.gz")
    with pytest.raises(SourceError, match=r"several files for 2014: .*2014\.csv, .*2014\.csv\.gz"):
        FolderSource(downloads).fetch(2014, target)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="CHICAGO_CRIME_FOLDER"):
        FolderSource(tmp_path / "nowhere").years()


@pytest.mark.parametrize("name", ["2014.csv.gz", "2014.zip"])
@pytest.mark.parametrize("kept", [0.2, 0.999])
def test_a_truncated_file_is_an_error(downloads: Path, target: Path, name: str, kept: float) -> None:
    file = put(downloads, name, "2014.csv")
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * kept)])
    with pytest.raises(SourceError, match=rf"{name}.*damaged or truncated"):
        FolderSource(downloads).fetch(2014, target)


@pytest.mark.parametrize("name", ["2014.csv.gz", "2014.zip"])
def test_a_file_with_a_flipped_bit_is_an_error(downloads: Path, target: Path, name: str) -> None:
    file = put(downloads, name, "2014.csv")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)
    with pytest.raises(SourceError, match="damaged or truncated"):
        FolderSource(downloads).fetch(2014, target)
