"""Tests of `chicago_crime/storage/google/secret_manager.py`, with Secret Manager on loopback."""

import logging
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chicago_crime.settings import load_settings
from chicago_crime.sources.base import SourceError
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.secret_manager import read_secret
from chicago_crime_tests.servers.access_server import AccessServer
from chicago_crime_tests.servers.credentials import service_account_file
from chicago_crime_tests.support import all_text_of

NAME = "projects/chicago-test/secrets/kaggle-token"
OLD, SECRET = "KGAT_old", "KGAT_planted0token"


@pytest.fixture
def server() -> Iterator[AccessServer]:
    with AccessServer({NAME: [OLD.encode(), f"{SECRET}\n".encode()]}).answering() as server:
        yield server


@pytest.fixture
def read(server: AccessServer, tmp_path: Path) -> Callable[..., str]:
    credentials = service_account_file(tmp_path, server.token_uri)
    settings = load_settings(gcp_credentials=credentials, google_api_endpoint=server.url)
    policy = RetryPolicy(timeout_s=30, first_wait_s=0.01, deadline_s=60)
    return lambda name=NAME: read_secret(name, settings, policy).get_secret_value()


def test_errors_include_the_command_that_fixes_them(
    server: AccessServer, read: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = server.secrets
    server.secrets = {}
    with pytest.raises(SourceError, match=f"no secret {NAME}/versions/latest: .*gcloud secrets create kaggle-token"):
        read()
    server.secrets, server.forbidden = secrets, {"secretmanager.versions.access"}
    with pytest.raises(SourceError, match=r"secretmanager\.versions\.access.*roles/secretmanager\.secretAccessor"):
        read()
    monkeypatch.setitem(sys.modules, "google.api_core.exceptions", None)
    with pytest.raises(SourceError, match=r"pip install '.\[gcp\]'"):
        read()


@pytest.mark.parametrize("content", [b"", b"two\nlines"])
def test_a_secret_without_a_token_is_not_quoted(server: AccessServer, read: Callable[..., str], content: bytes) -> None:
    server.secrets[NAME].append(content)
    with pytest.raises(SourceError, match=f"{NAME}/versions/latest holds no token") as raised:
        read()
    assert "two" not in all_text_of(raised.value)


def test_the_newest_or_named_version_is_read_and_not_in_the_debug_log_of_any_library(
    read: Callable[..., str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Google's libraries add responses as attributes of log records, which only structured handlers show."""
    google = logging.getLogger("google")
    monkeypatch.setattr(google, "propagate", True)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "google")
    assert read() == SECRET
    assert read(f"{NAME}/versions/1") == OLD
    assert caplog.records
    logged = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "Received response" not in logged
    assert SECRET not in logged
    assert "S0dBVF9wbGFudGVk" not in logged  # base64, as in the response
