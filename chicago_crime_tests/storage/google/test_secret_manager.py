"""Tests of `chicago_crime/storage/google/secret_manager.py`: its request to Secret Manager on loopback."""

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chicago_crime.installation import build_source
from chicago_crime.settings import load_settings
from chicago_crime.sources.base import SourceError
from chicago_crime.sources.kaggle.login import KaggleLogin
from chicago_crime.sources.kaggle.source import KaggleSource
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime_tests.servers.access_server import AccessServer
from chicago_crime_tests.servers.credentials import service_account_file
from chicago_crime_tests.support import all_told_by

NAME = "projects/chicago-test/secrets/kaggle-token"
OLD, SECRET = "KGAT_old", "KGAT_planted0token"


@pytest.fixture
def server() -> Iterator[AccessServer]:
    with AccessServer({NAME: [OLD.encode(), f"{SECRET}\n".encode()]}).answering() as server:
        yield server


@pytest.fixture
def login(server: AccessServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KaggleLogin:
    """The login of the settings, on a machine that also has a kaggle.json."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "kaggle.json").write_text('{"username": "another", "key": "another"}')
    return login_at(server, tmp_path)


def login_at(server: AccessServer, folder: Path, name: str = NAME) -> KaggleLogin:
    source = build_source(
        load_settings(
            source="kaggle",
            kaggle_secret=name,
            gcp_credentials=service_account_file(folder, server.token_uri),
            google_api_endpoint=server.url,
        )
    )
    assert isinstance(source, KaggleSource)
    assert source.login.secret
    policy = RetryPolicy(timeout_s=30, first_wait_s=0.01, deadline_s=60)
    return replace(source.login, secret=replace(source.login.secret, policy=policy))


def test_the_newest_version_of_the_secret_or_the_named_one_is_read(
    server: AccessServer, login: KaggleLogin, tmp_path: Path
) -> None:
    assert server.requests == []
    assert login.arguments() == {"api_token": SECRET}
    assert [one.path for one in server.calls] == [f"/v1/{NAME}/versions/latest:access"]
    assert login_at(server, tmp_path, f"{NAME}/versions/1").arguments() == {"api_token": OLD}


def test_the_secret_may_be_the_content_of_kaggles_own_file(server: AccessServer, login: KaggleLogin) -> None:
    server.secrets[NAME].append(json.dumps({"username": "somebody", "key": SECRET}).encode())
    assert login.arguments() == {"username": "somebody", "password": SECRET}


def test_errors_have_the_command_that_fixes_them(server: AccessServer, login: KaggleLogin) -> None:
    secrets = server.secrets
    server.secrets = {}
    with pytest.raises(SourceError, match=f"no secret {NAME}/versions/latest: .*gcloud secrets create kaggle-token"):
        login.arguments()
    server.secrets, server.may_read = secrets, False
    with pytest.raises(SourceError, match=r"secretmanager\.versions\.access.*roles/secretmanager\.secretAccessor"):
        login.arguments()


@pytest.mark.parametrize("content", [b"", b"two\nlines", b"{"])
def test_a_secret_without_a_token_is_not_quoted(server: AccessServer, login: KaggleLogin, content: bytes) -> None:
    server.secrets[NAME].append(content)
    with pytest.raises(SourceError, match=f"{NAME}/versions/latest holds neither a token nor") as raised:
        login.arguments()
    assert "two" not in all_told_by(raised.value)


def test_the_secret_is_not_in_the_debug_log_of_any_library(
    login: KaggleLogin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Google's libraries put responses into attributes of records, which only structured handlers show."""
    google = logging.getLogger("google")
    monkeypatch.setattr(google, "propagate", True)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "google")
    assert SECRET not in repr(login)
    assert login.arguments()
    assert caplog.records
    logged = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "Received response" not in logged
    assert SECRET not in logged
    assert "S0dBVF9wbGFudGVk" not in logged  # as it travels, in base64


def test_missing_libraries_are_told_with_their_installation(
    login: KaggleLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "google.api_core.exceptions", None)
    with pytest.raises(SourceError, match=r"pip install 'chicago-crime\[gcp\]'"):
        login.arguments()
