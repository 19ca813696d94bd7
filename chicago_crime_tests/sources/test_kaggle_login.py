"""Tests of `chicago_crime/sources/kaggle/login.py`."""

from pathlib import Path

import pytest
from kagglesdk import KaggleClient
from pydantic import SecretStr

from chicago_crime.sources.kaggle.login import KaggleLogin

SECRET = "planted0secret"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "kaggle.json").write_text('{"username": "another", "key": "another"}')
    return tmp_path


def test_a_given_token_wins_over_everything_and_may_be_a_file(home: Path) -> None:
    (home / ".kaggle" / "access_token").write_text("another")
    (home / "my token").write_text(f"{SECRET}\n")
    for given in (SECRET, str(home / "my token"), "x" * 5000):
        found = KaggleLogin(SecretStr(given), "somebody", SecretStr("another")).arguments()
        assert found == {"api_token": given if len(given) == 5000 else SECRET}


def test_a_given_pair_wins_over_its_file(home: Path) -> None:
    with KaggleClient(**KaggleLogin(username="me", key=SecretStr(SECRET)).arguments()) as client:
        assert client.http_client()._session.auth == ("me", SECRET)


def test_kaggles_client_finds_what_its_command_finds(home: Path) -> None:
    with KaggleClient(**KaggleLogin().arguments()) as client:
        assert client.http_client()._session.auth == ("another", "another")


def test_secrets_do_not_appear_in_a_repr() -> None:
    assert SECRET not in repr(KaggleLogin(SecretStr(SECRET), key=SecretStr(SECRET)))
