"""Tests of `chicago_crime_tests/servers/credentials.py`: Google's own library signs in with what the test made."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from chicago_crime_tests.servers.credentials import is_known, make_token, private_key, service_account_file
from chicago_crime_tests.servers.storage_server import StorageServer


@pytest.fixture
def server() -> Iterator[StorageServer]:
    with StorageServer().answering() as server:
        yield server


def account(folder: Path, server: StorageServer) -> service_account.Credentials:
    file = service_account_file(folder, server.token_uri)
    return service_account.Credentials.from_service_account_file(str(file), scopes=["scope"])


def test_the_token_that_is_given_out_is_known(server: StorageServer, tmp_path: Path) -> None:
    credentials = account(tmp_path, server)
    credentials.refresh(Request())
    assert is_known(f"Bearer {credentials.token}")
    assert not is_known(f"Bearer {credentials.token}x")
    assert [asked.call for asked in server.asked] == ["token"]


def test_a_token_that_the_account_signs_itself_is_known(server: StorageServer, tmp_path: Path) -> None:
    credentials = account(tmp_path, server).with_scopes([]).with_always_use_jwt_access(True)
    credentials._create_self_signed_jwt("https://storage.googleapis.com/")
    credentials.refresh(Request())
    assert is_known(f"Bearer {credentials.token}")
    assert server.asked == []


def test_an_assertion_that_the_key_did_not_sign_gets_no_token(server: StorageServer, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import rsa

    other = rsa.generate_private_key(65537, 2048).private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    file = service_account_file(tmp_path, server.token_uri)
    file.write_text(file.read_text().replace(repr(private_key())[1:-1], other.decode().replace("\n", "\\n")))
    credentials = service_account.Credentials.from_service_account_file(str(file), scopes=["scope"])
    with pytest.raises(RefreshError, match="invalid_grant"):
        credentials.refresh(Request())


def test_a_token_expires() -> None:
    assert is_known(f"Bearer {make_token()}")
    assert not is_known(f"Bearer {make_token(lifetime_s=-1)}")
    assert not is_known("")
    assert not is_known("Basic abc")
