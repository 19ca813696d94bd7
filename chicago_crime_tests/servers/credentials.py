"""Credentials for tests: a service account with a generated key, and the token endpoint for it.

Google's libraries sign in as they would anywhere: they request a token from the `token_uri` of the file, or sign one
themselves; the servers accept both.
"""

import hashlib
import json
import secrets
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

PROJECT_ID = "chicago-test"
EMAIL = f"platform@{PROJECT_ID}.iam.gserviceaccount.com"
TOKEN_PATH = "/token"

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_issued = set[str]()


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_key() -> str:
    """The key of the service account, PEM; a new one in every process, so a test that finds it has found a leak."""
    form = serialization.PrivateFormat.PKCS8
    return _key().private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


def _public_key() -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return _key().public_key().public_bytes(serialization.Encoding.PEM, form)


def service_account_file(folder: Path, token_uri: str, project: str = PROJECT_ID, email: str = EMAIL) -> Path:
    """Write a service account's file, as `gcloud iam service-accounts keys create` would.

    Args:
        folder: where; it is created if missing.
        token_uri: address of the token endpoint: `url + TOKEN_PATH` of any server.
        project: id of the project.
        email: of the account.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "service_account.json"
    content = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": hashlib.sha1(_public_key()).hexdigest(),
        "private_key": private_key(),
        "client_email": email,
        "client_id": "100000000000000000001",
        "auth_uri": token_uri,
        "token_uri": token_uri,
        "universe_domain": "googleapis.com",
    }
    file.write_text(json.dumps(content))
    return file


def token_for(form: bytes) -> tuple[int, dict[str, object]]:
    """The token endpoint's response to a form: status and JSON. The account's key must have signed the assertion."""
    given = {name: values[0] for name, values in parse_qs(form.decode()).items()}
    if given.get("grant_type") != _GRANT:
        return 400, {"error": "unsupported_grant_type"}
    try:
        jwt.decode(given.get("assertion", ""), certs=_public_key())
    except (ValueError, TypeError) as error:
        return 400, {"error": "invalid_grant", "error_description": str(error)}
    token = f"ya29.{secrets.token_urlsafe(32)}"
    _issued.add(token)
    return 200, {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}


def is_known(authorization: str) -> bool:
    """Whether a header `Authorization` has a token that a server of this process issued, or that the account signed."""
    kind, _, token = authorization.partition(" ")
    if kind != "Bearer":
        return False
    if token in _issued:
        return True
    try:
        jwt.decode(token, certs=_public_key())
    except (ValueError, TypeError):
        return False
    return True
