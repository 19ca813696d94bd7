"""Secrets of a run in the cloud, looked for in all that it prints and writes, here and at Google.

Planted are: the private key of the service account, the tokens that Google's office gives out for it, and Kaggle's
token in Secret Manager. The logs of all libraries are on.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chicago_crime_tests.end_to_end.cloud import Cloud, Ended, cloud_in
from chicago_crime_tests.patience import PATIENCE_S
from chicago_crime_tests.servers.credentials import private_key
from chicago_crime_tests.servers.kaggle_server import KaggleServer
from chicago_crime_tests.support import crimes_of_months, files_below, write_csv
from chicago_crime_tests.whole_cloud import SECRET

KAGGLE_TOKEN = "KGAT_planted0token0in0secret0manager"

# The command as users have it, with the logs of all libraries on the screen. Kaggle's client has no setting for its
# address, so that is put into its table.
PROGRAM = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from kagglesdk import KaggleEnv, kaggle_env
kaggle_env._env_to_endpoint[KaggleEnv.PROD] = sys.argv.pop(1)
from chicago_crime.cli.app import main
main()
"""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    with cloud_in(tmp_path) as made:
        yield made


def command(cloud: Cloud, kaggle: KaggleServer, *arguments: str) -> Ended:
    """Give a command that fetches Kaggle's token from Secret Manager."""
    settings = {
        "CHICAGO_CRIME_SOURCE": "kaggle",
        "CHICAGO_CRIME_KAGGLE_SECRET": SECRET,
        "HOME": str(cloud.folder / "home"),
    }
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM, kaggle.url, *arguments],
        env=os.environ | cloud.environment | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE_S,
    )
    return Ended(told.returncode, told.stdout)


def places_of_secrets(cloud: Cloud, printed: str) -> list[str]:
    """Where a secret stands: printed, written here, or handed to Google elsewhere than where one signs in."""
    asked = [one for server in (*cloud.servers.values(), cloud.access) for one in server.asked]
    headers = {value for one in asked for name, value in one.headers.items() if name.lower() == "authorization"}
    tokens = {header.removeprefix("Bearer ") for header in headers}
    assert any(token.startswith(("ya29.", "eyJ")) for token in tokens), "there are tokens to look for"
    key = private_key().splitlines()
    secrets = {KAGGLE_TOKEN, *tokens, key[1], json.dumps(private_key())[30:90]}
    places = {"printed": printed.encode()} | files_below(cloud.data) | files_below(cloud.folder / "buckets")
    for job in cloud.bigquery.jobs.by_id.values():
        places[f"job {job.id}"] = json.dumps(job.resource(), default=str).encode()
    for table in cloud.bigquery.catalog.tables.values():
        places[f"labels of {table.name}"] = json.dumps(table.labels).encode()
    for name, work in cloud.dataproc.dataproc.jobs.items():
        places[f"job {name}"] = json.dumps(work.resource, default=str).encode()
    for name, server in cloud.servers.items():
        for call in server.calls:
            places[f"{name} {call.path}"] = call.body + str(call.query).encode()
    # Of a signed token the middle, too: a log may have cut it.
    parts = secrets | {token.split(".")[-1] for token in tokens if token.count(".") == 2}
    return [
        f"{secret[:12]}... in {place}" for secret in parts for place, held in places.items() if secret.encode() in held
    ]


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_a_run_leaves_no_secret_anywhere(cloud: Cloud, tmp_path: Path, ends: str) -> None:
    rows = crimes_of_months(2014)
    files = {"Chicago_Crimes_2014.csv": write_csv(tmp_path / "2014.csv", rows).read_bytes()}
    if ends == "badly":
        cloud.dataproc.dataproc.creation_fails = "The zone does not have enough resources."
    cloud.access.secrets[SECRET] = [KAGGLE_TOKEN.encode()]
    with KaggleServer(files, KAGGLE_TOKEN).answering() as kaggle:
        ended = command(cloud, kaggle, "run", "--years", "2014")
        examined = command(cloud, kaggle, "doctor")
    assert ended.code == (0 if ends == "well" else 1), ended.output[-3000:]
    assert re.search(r"DEBUG:urllib3|DEBUG:google", ended.output), "the libraries' logs are looked through, too"
    assert any(name.endswith(".db") for name in files_below(cloud.data)), "Dagster's events are looked through"
    assert f"CHICAGO_CRIME_KAGGLE_SECRET={SECRET}" in examined.output, "the doctor's words are looked through, too"
    assert places_of_secrets(cloud, ended.output + examined.output) == []
