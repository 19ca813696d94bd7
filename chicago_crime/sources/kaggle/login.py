"""The Kaggle credentials that the settings name. They stay wrapped as secrets until Kaggle's client gets them.

Without any, that client looks for the token file and for the older `kaggle.json`, as Kaggle's own command does.
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
class KaggleLogin:
    """The credentials to sign in with. A token goes before the secret, which needs a request to Google.

    Attributes:
        api_token: a token, or the path of a file that holds one.
        username, key: the older pair.
        secret: in Secret Manager, with a token or the content of kaggle.json.
    """

    api_token: SecretStr | None = None
    username: str | None = None
    key: SecretStr | None = None
    secret: Secret | None = None

    def arguments(self) -> dict[str, str]:
        """Arguments of Kaggle's client: a token, a pair, or nothing.

        Raises:
            SourceError: the secret cannot be read, or holds something else.
        """
        if self.api_token:
            return {"api_token": _token(self.api_token.get_secret_value())}
        if self.secret:
            return _in_secret(self.secret.read().get_secret_value(), self.secret.version)
        if self.username and self.key:
            return {"username": self.username, "password": self.key.get_secret_value()}
        return {}


def _token(given: str) -> str:
    with suppress(OSError):  # it is no file, or too long to be the name of one
        return Path(given).read_text(errors="replace").strip()
    return given


def _in_secret(text: str, name: str) -> dict[str, str]:
    with suppress(ValueError, KeyError, TypeError):
        if text.startswith("{"):
            pair = json.loads(text)
            return {"username": str(pair["username"]), "password": str(pair["key"])}
        if text and text.isascii() and text.isprintable():
            return {"api_token": text}
    raise SourceError(f"{name} holds neither a token nor the content of kaggle.json: {HOW_TO_GET_ONE}")
