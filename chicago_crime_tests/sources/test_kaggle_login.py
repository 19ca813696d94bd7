"""Tests of `chicago_crime/sources/kaggle/login.py`."""

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from chicago_crime.sources.base import SourceError
from chicago_crime.sources.kaggle.login import Credentials, KaggleLogin
from chicago_crime_tests.support import all_told_by

SECRET = "planted0secret"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def put(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, errors="surrogatepass")
    return file


def pair(key: str = SECRET) -> str:
    return json.dumps({"username": "somebody", "key": key})


def test_a_given_token_wins_over_everything(home: Path) -> None:
    put(home / ".kaggle" / "access_token", "another")
    put(home / ".kaggle" / "kaggle.json", pair("another"))
    found = KaggleLogin(SecretStr(SECRET), "somebody", SecretStr("another")).find()
    assert found == Credentials("KAGGLE_API_TOKEN", api_token=SecretStr(SECRET))


def test_a_given_token_may_be_a_file_or_longer_than_any_file_name(home: Path) -> None:
    file = put(home / "my token", SECRET + "\n")
    assert KaggleLogin(SecretStr(str(file))).find() == Credentials(str(file), api_token=SecretStr(SECRET))
    assert KaggleLogin(SecretStr("x" * 5000)).find().api_token == SecretStr("x" * 5000)


@pytest.mark.parametrize("name", ["access_token", "access_token.txt"])
def test_the_tokens_own_file_wins_over_the_pair(home: Path, name: str) -> None:
    file = put(home / ".kaggle" / name, f" {SECRET}\n")
    found = KaggleLogin(username="somebody", key=SecretStr("another")).find()
    assert found == Credentials(str(file), api_token=SecretStr(SECRET))


@pytest.mark.parametrize("folder", [".kaggle", ".config/kaggle"])
def test_the_pairs_file_is_found_where_kaggle_puts_it(home: Path, folder: str) -> None:
    file = put(home / folder / "kaggle.json", pair())
    assert KaggleLogin().find() == Credentials(str(file), username="somebody", key=SecretStr(SECRET))


def test_the_pairs_file_is_found_in_the_configured_folder(home: Path) -> None:
    put(home / ".kaggle" / "kaggle.json", pair("another"))
    file = put(home / "elsewhere" / "kaggle.json", pair())
    assert KaggleLogin(config_dir=file.parent).find().key == SecretStr(SECRET)


@pytest.mark.parametrize("content", [f'{{"key": "{SECRET}"}}', f"key={SECRET}", '{"username": 1, "key": 2}'])
def test_a_file_without_a_pair_is_an_error_that_does_not_show_its_content(home: Path, content: str) -> None:
    put(home / ".kaggle" / "kaggle.json", content)
    with pytest.raises(SourceError, match=r"kaggle\.json is not JSON with `username` and `key`") as raised:
        KaggleLogin().find()
    assert SECRET not in str(raised.value)


def test_a_token_file_with_several_lines_is_an_error_that_does_not_show_its_content(home: Path) -> None:
    put(home / ".kaggle" / "access_token", f"{SECRET}\n{SECRET}\n")
    with pytest.raises(SourceError, match="access_token does not hold a single-line token") as raised:
        KaggleLogin().find()
    assert SECRET not in all_told_by(raised.value)


def test_the_error_for_missing_credentials_says_how_to_get_them(home: Path) -> None:
    with pytest.raises(SourceError, match=r"no token was found.*KAGGLE_API_TOKEN.*`portal` needs none"):
        KaggleLogin().find()
