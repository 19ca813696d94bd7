"""Tests of `chicago_crime/settings.py`."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from chicago_crime.settings import Settings, SettingsError, load_settings
from chicago_crime_tests.support import all_text_of


def test_overrides_take_precedence_over_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHICAGO_CRIME_SAMPLE_ROWS", "77")
    monkeypatch.setenv("CHICAGO_CRIME_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", "/of/another/project")
    assert load_settings().sample_rows == 77
    assert load_settings().data_dir == tmp_path
    assert load_settings().home == tmp_path / "dagster"
    assert load_settings(sample_rows=5).sample_rows == 5
    assert load_settings(population="estimates.csv").population == Path.cwd() / "estimates.csv", "`dev` works elsewhere"
    monkeypatch.setenv("CHICAGO_CRIME_DAGSTER_HOME", "/ours")
    assert load_settings().home == Path("/ours")
    monkeypatch.setenv("CHICAGO_CRIME_SAMPLE_ROWS", "")
    assert load_settings().sample_rows == 20_000


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("CHICAGO_CRIME_DEPLOYMENT", "azure", "CHICAGO_CRIME_DEPLOYMENT=azure.*'local'"),
        ("CHICAGO_CRIME_SOURCE", "ftp", "CHICAGO_CRIME_SOURCE=ftp.*'sample', 'folder', 'kaggle' or 'portal'"),
        ("CHICAGO_CRIME_SAMPLE_ROWS", "-1", "CHICAGO_CRIME_SAMPLE_ROWS=-1"),
        ("CHICAGO_CRIME_DUCKDB_MEMORY", "lots", "CHICAGO_CRIME_DUCKDB_MEMORY=lots"),
        ("CHICAGO_CRIME_SOURCE", "folder", "set --folder or CHICAGO_CRIME_FOLDER"),
        ("CHICAGO_CRIME_DEPLOYMENT", "gcp", "gcp needs CHICAGO_CRIME_GCP_PROJECT and CHICAGO_CRIME_GCS_BUCKET"),
        ("CHICAGO_CRIME_PORTAL_URL", "data.cityofchicago.org", "CHICAGO_CRIME_PORTAL_URL=data.cityofchicago.org"),
        ("CHICAGO_CRIME_PORTAL_URL", "https://me:planted@data.cityofchicago.org", "PORTAL_URL.*use a value like"),
        ("CHICAGO_CRIME_PORTAL_APP_TOKEN", "planted\n0", r"PORTAL_APP_TOKEN=\(a secret\): it contains characters"),
        ("CHICAGO_CRIME_DATA_DIR", "/data/100%", r"CHICAGO_CRIME_DATA_DIR=/data/100%: the path /data/100% contains %"),
        ("CHICAGO_CRIME_DATA_DIR", "/data[1]/x", r"contains \[.*choose another folder"),
        ("CHICAGO_CRIME_DAGSTER_HOME", "/data/{a,b}", r"CHICAGO_CRIME_DAGSTER_HOME.*contains \{"),
        ("CHICAGO_CRIME_DASHBOARD_PATH", "crime", "CHICAGO_CRIME_DASHBOARD_PATH=crime: use a value like /crime "),
        ("CHICAGO_CRIME_DASHBOARD_PROXIES", "proxy.internal", r"DASHBOARD_PROXIES=proxy\.internal"),
        ("CHICAGO_CRIME_GCS_SITE_BUCKET", "a-bucket", "GCS_SITE_BUCKET needs CHICAGO_CRIME_DEPLOYMENT=gcp"),
        ("CHICAGO_CRIME_SORUCE", "sample", "unknown setting CHICAGO_CRIME_SORUCE: .*CHICAGO_CRIME_SOURCE"),
    ],
)
def test_errors_name_settings_not_secrets(monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=message) as raised:
        load_settings()
    assert "planted" not in all_text_of(raised.value)


def test_examples_in_error_messages_are_valid() -> None:
    fields = Settings.model_fields.values()
    written = [(part.pattern, one.examples) for one in fields for part in one.metadata if hasattr(part, "pattern")]
    assert len(written) > 15
    for pattern, examples in written:
        assert examples and re.search(pattern, examples[0]), pattern


def test_settings_reach_subprocesses_and_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = load_settings(source="portal", data_dir=tmp_path, portal_app_token=SecretStr("planted0secret"))
    assert "planted0secret" not in f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    for name, value in settings.as_environment().items():
        monkeypatch.setenv(name, value)
    assert load_settings() == settings
