"""Finding Kaggle credentials: an API token, or the older pair of user name and key.

They stay wrapped as secrets until Kaggle's client gets them, and no message contains one.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from chicago_crime.sources.base import SourceError

HOW_TO_GET_ONE = (
    "create one at https://www.kaggle.com/settings (API Tokens) and put it into the environment variable "
    "KAGGLE_API_TOKEN or the file ~/.kaggle/access_token. The source `portal` needs none: CHICAGO_CRIME_SOURCE=portal"
)


class Secret(Protocol):
    """A secret that is stored elsewhere and read when it is needed."""

    @property
    def version(self) -> str:
        """Its full name, for messages."""

    def read(self) -> SecretStr:
        """Its text."""


@dataclass(frozen=True)
class Credentials:
    """A token, or a user name and key.

    Attributes:
        found_in: where they were found, for messages.
    """

    found_in: str
    api_token: SecretStr | None = None
    username: str | None = None
    key: SecretStr | None = None


@dataclass(frozen=True)
class KaggleLogin:
    """Finds credentials in the order that Kaggle's own client uses: token, token file, pair, pair file.

    A secret named in the settings comes right after a token given in the settings: explicit configuration beats files,
    and a given token needs no request to Google.

    Attributes:
        api_token: a token, or the path of a file that holds one.
        username: of the older pair.
        key: of the older pair.
        config_dir: folder of kaggle.json; by default ~/.kaggle, or ~/.config/kaggle.
        secret: in Secret Manager, with a token or the content of kaggle.json.
    """

    api_token: SecretStr | None = None
    username: str | None = None
    key: SecretStr | None = None
    config_dir: Path | None = None
    secret: Secret | None = None

    def find(self) -> Credentials:
        """The credentials to sign in with.

        Raises:
            SourceError: there are none, or a file or the secret cannot be read or holds something else.
        """
        if self.api_token:
            return _given_token(self.api_token)
        if self.secret:
            text, name = self.secret.read().get_secret_value(), self.secret.version
            return _pair(text, name) if text.startswith("{") else _token(text, name)
        kaggle = Path.home() / ".kaggle"
        for file in (kaggle / "access_token", kaggle / "access_token.txt"):
            if text := _text_of(file):
                return _token(text, str(file))
        if self.username and self.key:
            return Credentials("KAGGLE_USERNAME and KAGGLE_KEY", username=self.username, key=self.key)
        for folder in [self.config_dir] if self.config_dir else [kaggle, Path.home() / ".config" / "kaggle"]:
            if text := _text_of(folder / "kaggle.json"):
                return _pair(text, str(folder / "kaggle.json"))
        raise SourceError(f"Kaggle needs an API token, and no token was found: {HOW_TO_GET_ONE}")


def _given_token(given: SecretStr) -> Credentials:
    with suppress(OSError):  # the token is too long to be a file name
        file = Path(given.get_secret_value())
        if file.is_file():
            return _token(_text_of(file), str(file))
    return Credentials("KAGGLE_API_TOKEN", api_token=given)


def _token(text: str, found_in: str) -> Credentials:
    if not (text and text.isascii() and text.isprintable()):
        raise SourceError(f"{found_in} does not hold a single-line token: {HOW_TO_GET_ONE}")
    return Credentials(found_in, api_token=SecretStr(text))


def _pair(text: str, found_in: str) -> Credentials:
    """The pair in kaggle.json."""
    try:
        pair = json.loads(text)
        return Credentials(
            found_in, username=pair["username"].strip(), key=_token(pair["key"].strip(), found_in).api_token
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SourceError(f"{found_in} is not JSON with `username` and `key`: {HOW_TO_GET_ONE}") from None


def _text_of(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip() if file.is_file() else ""
    except OSError as error:
        raise SourceError(f"{file} cannot be read ({type(error).__name__}): {HOW_TO_GET_ONE}") from None
