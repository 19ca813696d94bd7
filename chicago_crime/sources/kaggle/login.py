"""Finding what signs us in at Kaggle: an API token, or the older pair of user name and key.

Here belongs where they may be and in which order. They stay wrapped as secrets until Kaggle's client gets them, and
no message repeats one.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import SecretStr

from chicago_crime.sources.base import SourceError

HOW_TO_GET_ONE = (
    "make one at https://www.kaggle.com/settings (API Tokens) and put it into the environment variable "
    "KAGGLE_API_TOKEN or the file ~/.kaggle/access_token. The source `portal` needs none: CHICAGO_CRIME_SOURCE=portal"
)

TOKEN_FILES = ("access_token", "access_token.txt")
PAIR_FILE = "kaggle.json"


class Secret(Protocol):
    """A secret that is kept elsewhere and read when it is needed."""

    @property
    def version(self) -> str:
        """Its full name, for messages."""

    def read(self) -> SecretStr:
        """Its text."""


@dataclass(frozen=True)
class Credentials:
    """What signs us in: a token, or user name and key.

    Attributes:
        found_in: where they were found, for messages.
    """

    found_in: str
    api_token: SecretStr | None = None
    username: str | None = None
    key: SecretStr | None = None


@dataclass(frozen=True)
class KaggleLogin:
    """Where to look for credentials, in Kaggle's own order: the token, its file, then the pair, then its file.

    A secret that the settings name comes right after a token that they hold: what was asked for goes before what lies
    about, and a token at hand needs no question to Google.

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
        """What to sign in with.

        Raises:
            SourceError: nothing was found, or a file or the secret holds something else, or cannot be read.
        """
        if self.api_token:
            return self._given_token(self.api_token)
        if self.secret:
            return self._in_secret(self.secret)
        for file in (Path.home() / ".kaggle" / name for name in TOKEN_FILES):
            if token := _text_of(file):
                return Credentials(str(file), api_token=_fit_for_a_header(token, file))
        if self.username and self.key:
            return Credentials("KAGGLE_USERNAME and KAGGLE_KEY", username=self.username, key=self.key)
        home = Path.home()
        for folder in [self.config_dir] if self.config_dir else [home / ".kaggle", home / ".config" / "kaggle"]:
            if text := _text_of(folder / PAIR_FILE):
                return self._pair(text, folder / PAIR_FILE)
        raise SourceError(f"Kaggle wants to know who asks, and no token was found: {HOW_TO_GET_ONE}")

    def _given_token(self, given: SecretStr) -> Credentials:
        with suppress(OSError):  # a long token is too long for a file's name
            file = Path(given.get_secret_value())
            if file.is_file():
                return Credentials(str(file), api_token=_fit_for_a_header(_text_of(file), file))
        return Credentials("KAGGLE_API_TOKEN", api_token=given)

    def _in_secret(self, secret: Secret) -> Credentials:
        text = secret.read().get_secret_value()
        if text.startswith("{"):
            return self._pair(text, secret.version)
        return Credentials(secret.version, api_token=_fit_for_a_header(text, secret.version))

    def _pair(self, text: str, file: Path | str) -> Credentials:
        """The pair in kaggle.json. Half of it may be given otherwise; that half wins, as with Kaggle's own command."""
        try:
            pair = json.loads(text)
            username, key = pair["username"], pair["key"]
        except (ValueError, KeyError, TypeError):
            username = key = None
        if not isinstance(username, str) or not isinstance(key, str):
            raise SourceError(f"{file} is no JSON with `username` and `key`: {HOW_TO_GET_ONE}")
        return Credentials(str(file), username=self.username or username, key=self.key or _fit_for_a_header(key, file))


def _text_of(file: Path) -> str:
    try:
        return file.read_text(errors="replace").strip() if file.is_file() else ""
    except OSError as error:
        raise SourceError(f"{file} cannot be read ({type(error).__name__}): {HOW_TO_GET_ONE}") from None


def _fit_for_a_header(secret: str, file: Path | str) -> SecretStr:
    if not (secret and secret.isascii() and secret.isprintable()):
        raise SourceError(f"{file} holds no token, or more than one line: {HOW_TO_GET_ONE}")
    return SecretStr(secret)
