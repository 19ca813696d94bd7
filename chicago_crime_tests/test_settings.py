"""Tests of `chicago_crime/settings.py`."""

from pathlib import Path

import pytest

from chicago_crime.settings import PROJECT_FOLDER, SettingsError, load_settings


def test_without_any_setting_the_sample_goes_into_the_project_folder() -> None:
    settings = load_settings()
    assert (settings.deployment, settings.source) == ("local", "sample")
    assert settings.data_dir == PROJECT_FOLDER / "data"
    assert settings.home == PROJECT_FOLDER / "data" / "dagster"


def test_the_environment_is_read_and_overrides_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHICAGO_CRIME_SAMPLE_ROWS", "77")
    monkeypatch.setenv("CHICAGO_CRIME_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    assert load_settings().sample_rows == 77
    assert load_settings().data_dir == tmp_path
    assert load_settings().home == tmp_path / "home"
    assert load_settings(sample_rows=5).sample_rows == 5


def test_the_platforms_own_dagster_home_wins_over_dagsters(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "/elsewhere")
    monkeypatch.setenv("CHICAGO_CRIME_DAGSTER_HOME", str(tmp_path))
    assert load_settings().home == tmp_path


def test_relative_folders_are_told_from_where_the_command_was_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_settings(data_dir="here").data_dir == tmp_path / "here"


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("CHICAGO_CRIME_DEPLOYMENT", "azure", "CHICAGO_CRIME_DEPLOYMENT=azure.*'local'"),
        ("CHICAGO_CRIME_SOURCE", "ftp", "CHICAGO_CRIME_SOURCE=ftp.*'sample' or 'folder'"),
        ("CHICAGO_CRIME_SAMPLE_ROWS", "many", "CHICAGO_CRIME_SAMPLE_ROWS=many"),
        ("CHICAGO_CRIME_SAMPLE_ROWS", "-1", "CHICAGO_CRIME_SAMPLE_ROWS=-1"),
        ("CHICAGO_CRIME_DUCKDB_MEMORY", "lots", "CHICAGO_CRIME_DUCKDB_MEMORY=lots"),
        ("CHICAGO_CRIME_SOURCE", "folder", "needs CHICAGO_CRIME_FOLDER"),
        ("CHICAGO_CRIME_SORUCE", "sample", "CHICAGO_CRIME_SORUCE is no setting.*CHICAGO_CRIME_SOURCE"),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_may_be(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=told):
        load_settings()
