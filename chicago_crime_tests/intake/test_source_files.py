"""Tests of `chicago_crime/intake/source_files.py`."""

from pathlib import Path

import pytest

from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.sources.base import SourceError, no_progress
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime_tests.support import refuse


@pytest.fixture
def files(tmp_path: Path) -> SourceFiles:
    return SourceFiles(tmp_path / "csv", tmp_path / "staging")


def test_replaced_files_and_those_of_a_killed_fetch_are_removed(files: SourceFiles) -> None:
    (files.staging / "of a killed fetch").mkdir(parents=True)
    for year in (2014, 2015):
        files.fetch(SampleSource(rows=100), year, no_progress, refuse)
    replaced, manifest = files.csv(2014), files.folder / "2014.json"
    before = manifest.read_bytes()
    files.fetch(SampleSource(rows=200), 2014, no_progress, refuse)
    assert not replaced.exists()
    manifest.write_bytes(before)  # as if the fetch was killed before it replaced the manifest
    files.fetch(SampleSource(rows=300), 2014, no_progress, refuse)
    assert sorted(file.suffix for file in files.folder.glob("2014.*")) == [".csv", ".json", ".quarantine"]
    assert files.csv(2015).exists()
    assert [*files.staging.iterdir()] == []


def test_a_missing_year_is_an_error_with_the_command_to_fetch_it(files: SourceFiles) -> None:
    assert files.manifest(2015) is None
    with pytest.raises(SourceError, match="chicago-crime run --years 2015`"):
        files.csv(2015)
