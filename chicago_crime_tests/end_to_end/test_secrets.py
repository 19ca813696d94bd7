"""Secrets that are planted in every place where a user may put one, and looked for in all that the platform leaves."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from chicago_crime_tests.patience import PATIENCE_S
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.servers.kaggle_server import KaggleServer
from chicago_crime_tests.servers.portal_server import PortalServer
from chicago_crime_tests.support import crimes_of_months, files_below, write_csv

YEAR = 2014
SECRETS = {
    "CHICAGO_CRIME_PORTAL_APP_TOKEN": "planted0app0token0of0the0portal",
    "KAGGLE_API_TOKEN": "KGAT_planted0token0of0kaggle",
    "KAGGLE_USERNAME": "somebody",
    "KAGGLE_KEY": "planted0key0of0kaggle",
}

# The command as users have it, with the logs of all libraries written to the screen. Kaggle's client has no setting
# for its address, so that is put into its table before anything else happens.
PROGRAM = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from kagglesdk import KaggleEnv, kaggle_env
kaggle_env._env_to_endpoint[KaggleEnv.PROD] = sys.argv.pop(1)
from chicago_crime.cli.app import main
try:
    main()
finally:
    print("KAGGLE'S COMMAND IMPORTED" if "kaggle" in sys.modules else "", file=sys.stderr)
"""


class Servers(NamedTuple):
    """Both publishers."""

    kaggle: KaggleServer
    portal: PortalServer


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    rows = crimes_of_months(YEAR)
    files = {f"Chicago_Crimes_{YEAR}.csv": write_csv(tmp_path / "2014.csv", rows).read_bytes()}
    with (
        KaggleServer(files, SECRETS["KAGGLE_API_TOKEN"]).answering() as kaggle,
        PortalServer(rows, SECRETS["CHICAGO_CRIME_PORTAL_APP_TOKEN"]).answering() as portal,
    ):
        yield Servers(kaggle, portal)


def command(servers: Servers, tmp_path: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Give a command with all secrets in its environment."""
    (tmp_path / "home").mkdir(exist_ok=True)
    settings = {
        "CHICAGO_CRIME_SOURCE": source,
        "CHICAGO_CRIME_PORTAL_URL": servers.portal.url,
        "CHICAGO_CRIME_DATA_DIR": str(tmp_path / "data"),
        "HOME": str(tmp_path / "home"),
        "COLUMNS": "250",
    }
    program = [sys.executable, "-c", PROGRAM, servers.kaggle.url, *arguments]
    return subprocess.run(
        program, env=os.environ | SECRETS | settings, capture_output=True, text=True, timeout=PATIENCE_S
    )


def places_of_secrets(servers: Servers, told: subprocess.CompletedProcess[str], data: Path) -> list[str]:
    """Where a secret stands, of all that was printed and written."""
    signatures = [servers.kaggle.storage.signature(name) for name in servers.kaggle.files]
    secrets = [*(value for name, value in SECRETS.items() if name != "KAGGLE_USERNAME"), *signatures]
    written = files_below(data) | {"stdout": told.stdout.encode(), "stderr": told.stderr.encode()}
    return [f"{secret} in {place}" for secret in secrets for place, held in written.items() if secret.encode() in held]


@pytest.mark.parametrize("source", ["kaggle", "portal"])
def test_a_run_that_goes_well_leaves_no_secret_anywhere(servers: Servers, tmp_path: Path, source: str) -> None:
    server = servers.kaggle if source == "kaggle" else servers.portal
    server.will(Fault(status=503), on="List" if source == "kaggle" else "csv")
    told = command(servers, tmp_path, source, "run", "--years", str(YEAR), "--assets", "crime_csv")
    assert told.returncode == 0, told.stderr[-3000:]
    assert "crime_csv 2014: 36 rows" in told.stdout
    assert "returned 503 (Service Unavailable)" in told.stderr, "the libraries' logs were looked through too"
    assert "KAGGLE'S COMMAND IMPORTED" not in told.stderr
    assert files_below(tmp_path / "home") == {}
    assert any(name.endswith(".db") for name in files_below(tmp_path / "data")), "Dagster's events were looked through"
    assert places_of_secrets(servers, told, tmp_path / "data") == []


@pytest.mark.parametrize("source", ["kaggle", "portal"])
def test_a_run_that_is_refused_leaves_no_secret_anywhere(servers: Servers, tmp_path: Path, source: str) -> None:
    servers.kaggle.token = servers.portal.app_token = "another"
    told = command(servers, tmp_path, source, "run", "--years", str(YEAR), "--assets", "crime_csv")
    assert told.returncode == 1
    assert "does not accept the" in told.stdout + told.stderr
    assert places_of_secrets(servers, told, tmp_path / "data") == []


@pytest.mark.parametrize("state", ["accepted", "refused"])
@pytest.mark.parametrize("source", ["kaggle", "portal"])
def test_the_doctor_tells_of_the_secrets_but_not_what_they_are(
    servers: Servers, tmp_path: Path, source: str, state: str
) -> None:
    if state == "refused":
        servers.kaggle.token = servers.portal.app_token = "another"
    told = command(servers, tmp_path, source, "doctor")
    assert told.returncode == (0 if state == "accepted" else 1), told.stdout
    assert "CHICAGO_CRIME_KAGGLE_API_TOKEN=**********" in told.stdout
    assert "CHICAGO_CRIME_PORTAL_APP_TOKEN=**********" in told.stdout
    where = {
        "kaggle": {"accepted": "Kaggle accepts the token in KAGGLE_API_TOKEN", "refused": "KAGGLE_API_TOKEN. If it is"},
        "portal": {
            "accepted": "requests with an app token",
            "refused": "accept the app token in CHICAGO_CRIME_PORTAL_APP_",
        },
    }[source][state]
    assert where in " ".join(told.stdout.replace("│", " ").split())
    assert places_of_secrets(servers, told, tmp_path / "data") == []


def test_dev_hands_the_secrets_on_to_dagster_and_prints_none(servers: Servers, tmp_path: Path) -> None:
    """A program in the place of `dagster` writes down with what it was started."""
    (tmp_path / "bin").mkdir()
    dagster, seen = tmp_path / "bin" / "dagster", tmp_path / "seen"
    dagster.write_text(f"#!/bin/sh\nenv > '{seen}'\n")
    dagster.chmod(0o700)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = (
        "import sys; sys.executable = sys.argv.pop(1)\n"
        "from chicago_crime.cli.app import main; sys.argv[1:] = ['dev', '--port', sys.argv[1]]; main()"
    )
    told = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "bin" / "python"), str(port)],
        env=os.environ | SECRETS | {"CHICAGO_CRIME_DATA_DIR": str(tmp_path / "data")},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert told.returncode == 0, told.stderr
    handed_on = dict(line.split("=", 1) for line in seen.read_text().splitlines() if "=" in line)
    assert handed_on["CHICAGO_CRIME_PORTAL_APP_TOKEN"] == SECRETS["CHICAGO_CRIME_PORTAL_APP_TOKEN"]
    assert handed_on["CHICAGO_CRIME_KAGGLE_API_TOKEN"] == SECRETS["KAGGLE_API_TOKEN"]
    assert handed_on["CHICAGO_CRIME_KAGGLE_KEY"] == SECRETS["KAGGLE_KEY"]
    assert places_of_secrets(servers, told, tmp_path / "data") == []
