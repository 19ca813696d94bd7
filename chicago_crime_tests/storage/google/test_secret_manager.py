"""Tests of `chicago_crime/sources/kaggle_secret.py`: Google's own client against Secret Manager on loopback."""

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from chicago_crime.installation import build_source
from chicago_crime.settings import load_settings
from chicago_crime.sources.base import SourceError
from chicago_crime.sources.kaggle.login import KaggleLogin
from chicago_crime.sources.kaggle.source import KaggleSource
from chicago_crime.storage.google.access import GooglePatience
from chicago_crime.storage.google.secret_manager import KaggleSecret
from chicago_crime_tests.servers.access_server import AccessServer
from chicago_crime_tests.servers.credentials import service_account_file
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.support import all_told_by

NAME = "projects/chicago-test/secrets/kaggle-token"
OLD, SECRET = "KGAT_old", "KGAT_planted0token"


@pytest.fixture
def server() -> Iterator[AccessServer]:
    with AccessServer({NAME: [OLD.encode(), f"{SECRET}\n".encode()]}).answering() as server:
        yield server


@pytest.fixture
def login(server: AccessServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KaggleLogin:
    """Where the settings say that a token is, on a machine that has a kaggle.json lying about."""
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
    patience = GooglePatience(timeout_s=30, first_wait_s=0.01, give_up_s=60)
    return replace(source.login, secret=replace(source.login.secret, patience=patience))


def test_the_newest_version_of_the_secret_is_read_when_it_is_wanted(server: AccessServer, login: KaggleLogin) -> None:
    assert server.asked == []
    found = login.find()
    assert (found.api_token, found.found_in) == (SecretStr(SECRET), f"{NAME}/versions/latest")
    assert [asked.path for asked in server.calls] == [f"/v1/{NAME}/versions/latest:access"]


def test_a_version_that_is_named_is_read(server: AccessServer, login: KaggleLogin, tmp_path: Path) -> None:
    assert login_at(server, tmp_path, f"{NAME}/versions/1").find().api_token == SecretStr(OLD)


def test_the_secret_may_be_the_content_of_kaggles_own_file(server: AccessServer, login: KaggleLogin) -> None:
    server.secrets[NAME].append(json.dumps({"username": "somebody", "key": SECRET}).encode())
    found = login.find()
    assert (found.username, found.key, found.api_token) == ("somebody", SecretStr(SECRET), None)


def test_a_token_at_hand_needs_no_question_to_google(server: AccessServer, login: KaggleLogin) -> None:
    assert replace(login, api_token=SecretStr("at hand")).find().api_token == SecretStr("at hand")
    assert server.asked == []


def test_a_secret_that_is_not_there_is_told_with_the_command_that_makes_it(
    server: AccessServer, login: KaggleLogin
) -> None:
    server.secrets.clear()
    with pytest.raises(SourceError, match=f"no secret {NAME}/versions/latest: .*gcloud secrets create kaggle-token"):
        login.find()


def test_a_secret_that_may_not_be_read_is_told_with_the_command_that_allows_it(
    server: AccessServer, login: KaggleLogin
) -> None:
    server.may_read = False
    with pytest.raises(SourceError, match=r"secretmanager\.versions\.access.*roles/secretmanager\.secretAccessor"):
        login.find()


@pytest.mark.parametrize("content", [b"", b"two\nlines", b"{", b"\xff\x00"])
def test_a_secret_that_is_no_token_is_told_without_what_it_holds(
    server: AccessServer, login: KaggleLogin, content: bytes
) -> None:
    server.secrets[NAME].append(content)
    with pytest.raises(SourceError, match=f"{NAME}/versions/latest (does not hold a|is not JSON)") as raised:
        login.find()
    assert "two" not in all_told_by(raised.value)


@pytest.mark.parametrize(
    "fault",
    [*(Fault(status=n) for n in (429, 500, 503)), Fault(cut_after=10), Fault(loses_answer=True), Fault(wait_s=0.8)],
    ids=["429", "500", "503", "cut", "lost", "slow"],
)
def test_a_passing_fault_is_got_over(server: AccessServer, login: KaggleLogin, fault: Fault) -> None:
    assert login.secret
    if fault.wait_s:
        login = replace(login, secret=replace(login.secret, patience=replace(login.secret.patience, timeout_s=0.5)))
    server.will(fault, on=":access")
    assert login.find().api_token == SecretStr(SECRET)
    assert len(server.calls) >= 2


def test_a_fault_that_stays_is_told(server: AccessServer, login: KaggleLogin) -> None:
    assert login.secret
    server.will(Fault(status=503), times=1000)
    secret = replace(login.secret, patience=replace(login.secret.patience, give_up_s=0.1))
    with pytest.raises(SourceError, match="Secret Manager answers 503, again and again: try again later"):
        secret.read()


def test_credentials_that_are_wrong_are_told(server: AccessServer, login: KaggleLogin, tmp_path: Path) -> None:
    (tmp_path / "service_account.json").write_text("{}")
    with pytest.raises(SourceError, match=r"service_account\.json is no file of Google credentials"):
        login.find()


def test_no_answer_is_in_any_log_though_all_libraries_debug(
    login: KaggleLogin, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """All of a record is looked at: Google's libraries put answers where only structured handlers show them."""
    google = logging.getLogger("google")
    monkeypatch.setattr(google, "propagate", True)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "google")
    assert SECRET not in repr(login) + repr(login.find())
    assert caplog.records
    told = "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert "Received response" not in told
    assert SECRET not in told
    assert "S0dBVF9wbGFudGVk" not in told  # as it travels, in base64


def test_without_googles_libraries_one_is_told_how_to_get_them(
    login: KaggleLogin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "google.cloud.secretmanager_v1", None)
    monkeypatch.delattr("google.cloud.secretmanager_v1", raising=False)
    with pytest.raises(SourceError, match=r"pip install 'chicago-crime\[gcp\]'"):
        login.find()


def test_no_secret_is_asked_for_when_none_is_named() -> None:
    source = build_source(load_settings(source="kaggle"))
    assert isinstance(source, KaggleSource)
    assert source.login.secret is None
    assert KaggleSecret(NAME).version == f"{NAME}/versions/latest"
