"""Credentials for tests: a service account with a generated key, and its token endpoint.

Google's libraries sign in as usual: they request a token from the file's `token_uri`, or sign one themselves. The
servers accept both.
"""

import json
import secrets
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

PROJECT_ID = "chicago-test"
EMAIL = f"platform@{PROJECT_ID}.iam.gserviceaccount.com"
TOKEN_PATH = "/token"


@cache
def private_key() -> str:
    """The service account's key in PEM, generated in every process, so that any copy of it is a leak."""
    key, form = rsa.generate_private_key(public_exponent=65537, key_size=2048), serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def service_account_file(folder: Path, token_uri: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "service_account.json"
    content = {"type": "service_account", "private_key": private_key(), "client_email": EMAIL, "token_uri": token_uri}
    file.write_text(json.dumps(content))
    return file


def new_token() -> dict[str, object]:
    return {"access_token": f"ya29.{secrets.token_urlsafe(32)}", "expires_in": 3600, "token_type": "Bearer"}


def is_known(authorization: str) -> bool:
    """Whether an `Authorization` header has a token from this endpoint, or one signed by the account itself."""
    return authorization.startswith(("Bearer ya29.", "Bearer eyJ"))
