"""Tests of `chicago_crime/sources/kaggle_login.py`."""

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


def test_a_given_token_may_be_a_file(home: Path) -> None:
    file = put(home / "my token", SECRET + "\n")
    assert KaggleLogin(SecretStr(str(file))).find() == Credentials(str(file), api_token=SecretStr(SECRET))


def test_a_token_too_long_for_a_files_name_is_a_token(home: Path) -> None:
    assert KaggleLogin(SecretStr("x" * 5000)).find().api_token == SecretStr("x" * 5000)


@pytest.mark.parametrize("name", ["access_token", "access_token.txt"])
def test_the_tokens_own_file_wins_over_the_pair(home: Path, name: str) -> None:
    file = put(home / ".kaggle" / name, f" {SECRET}\n")
    found = KaggleLogin(username="somebody", key=SecretStr("another")).find()
    assert found == Credentials(str(file), api_token=SecretStr(SECRET))


def test_a_given_pair_wins_over_its_file(home: Path) -> None:
    put(home / ".kaggle" / "kaggle.json", pair("another"))
    found = KaggleLogin(username="me", key=SecretStr(SECRET)).find()
    assert (found.username, found.key, found.api_token) == ("me", SecretStr(SECRET), None)


@pytest.mark.parametrize("folder", [".kaggle", ".config/kaggle"])
def test_the_pairs_file_is_found_where_kaggle_puts_it(home: Path, folder: str) -> None:
    file = put(home / folder / "kaggle.json", pair())
    assert KaggleLogin().find() == Credentials(str(file), username="somebody", key=SecretStr(SECRET))


def test_the_pairs_file_is_found_where_it_is_said_to_be(home: Path) -> None:
    put(home / ".kaggle" / "kaggle.json", pair("another"))
    file = put(home / "elsewhere" / "kaggle.json", pair())
    assert KaggleLogin(config_dir=file.parent).find().key == SecretStr(SECRET)


def test_a_given_half_of_the_pair_wins_over_that_half_of_the_file(home: Path) -> None:
    put(home / ".kaggle" / "kaggle.json", pair())
    assert KaggleLogin(username="me").find().username == "me"


@pytest.mark.parametrize(
    "content", [f'{{"key": "{SECRET}"}}', f"key={SECRET}", f'["{SECRET}"]', '{"username": 1, "key": 2}']
)
def test_a_file_without_a_pair_is_told_without_what_it_holds(home: Path, content: str) -> None:
    put(home / ".kaggle" / "kaggle.json", content)
    with pytest.raises(SourceError, match=r"kaggle\.json is no JSON with `username` and `key`") as raised:
        KaggleLogin().find()
    assert SECRET not in str(raised.value)


def test_a_token_file_with_several_lines_is_told_without_what_it_holds(home: Path) -> None:
    put(home / ".kaggle" / "access_token", f"{SECRET}\n{SECRET}\n")
    with pytest.raises(SourceError, match="access_token holds no token, or more than one line") as raised:
        KaggleLogin().find()
    assert SECRET not in all_told_by(raised.value)


def test_nothing_at_all_is_told_with_the_way_to_a_token(home: Path) -> None:
    with pytest.raises(SourceError, match=r"no token was found.*KAGGLE_API_TOKEN.*`portal` needs none"):
        KaggleLogin().find()


def test_credentials_do_not_show_in_their_text() -> None:
    shown = repr(Credentials("a file", SecretStr(SECRET), "me", SecretStr(SECRET))) + repr(
        KaggleLogin(SecretStr(SECRET))
    )
    assert SECRET not in shown
