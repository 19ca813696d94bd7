"""Plants secrets wherever users may configure them, and searches everything that the platform writes for them.

The commands print the debug logs of all libraries.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from chicago_crime_tests.end_to_end.cloud import WIDE, Cloud, Ended, cloud_in
from chicago_crime_tests.servers.credentials import private_key
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.servers.kaggle_server import KaggleServer
from chicago_crime_tests.servers.portal_server import PortalServer
from chicago_crime_tests.support import crimes_of_months, files_below, words_of, write_csv
from chicago_crime_tests.waiting import TIMEOUT_S
from chicago_crime_tests.whole_cloud import SECRET

YEAR = 2014
SECRETS = {
    "CHICAGO_CRIME_PORTAL_APP_TOKEN": "planted0app0token0of0the0portal",
    "KAGGLE_API_TOKEN": "KGAT_planted0token0of0kaggle",
}
TOKEN_IN_SECRET_MANAGER = "KGAT_planted0token0in0secret0manager"

# Kaggle's client has no setting for its address, so the program first changes its table of addresses.
PROGRAM = """
import logging, sys
logging.basicConfig(level=logging.DEBUG)
from kagglesdk import KaggleEnv, kaggle_env
kaggle_env._env_to_endpoint[KaggleEnv.PROD] = sys.argv.pop(1)
from chicago_crime.cli.app import main
main()
"""


def command(kaggle: KaggleServer, environment: Mapping[str, str], *arguments: str) -> Ended:
    program, env = [sys.executable, "-c", PROGRAM, kaggle.url, *arguments], os.environ | WIDE | environment
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    ended = subprocess.run(program, env=env, text=True, timeout=TIMEOUT_S, **both)
    return Ended(ended.returncode, ended.stdout)


def places_of(secrets: Iterable[str], places: Mapping[str, bytes]) -> list[str]:
    found = [(secret, name) for secret in secrets for name, held in places.items() if secret.encode() in held]
    return [f"{secret[:12]}... in {name}" for secret, name in found]


@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ("kaggle", "API token was not accepted. If it is expired"),
        ("portal", "app token in CHICAGO_CRIME_PORTAL_APP_TOKEN was not accepted"),
    ],
)
def test_a_run_and_the_doctor_leave_no_secret_anywhere(tmp_path: Path, source: str, refused: str) -> None:
    rows, run = crimes_of_months(YEAR), ("run", "--years", str(YEAR), "--assets", "crime_csv")
    files = {f"Chicago_Crimes_{YEAR}.csv": write_csv(tmp_path / "2014.csv", rows).read_bytes()}
    (tmp_path / "home").mkdir()
    with (
        KaggleServer(files, SECRETS["KAGGLE_API_TOKEN"]).answering() as kaggle,
        PortalServer(rows, SECRETS["CHICAGO_CRIME_PORTAL_APP_TOKEN"]).answering() as portal,
    ):
        folders = {"CHICAGO_CRIME_DATA_DIR": str(tmp_path / "data"), "HOME": str(tmp_path / "home")}
        environment = SECRETS | folders | {"CHICAGO_CRIME_PORTAL_URL": portal.url, "CHICAGO_CRIME_SOURCE": source}
        (kaggle if source == "kaggle" else portal).will(Fault(status=503), on="List" if source == "kaggle" else "csv")
        ended = command(kaggle, environment, *run)
        kaggle.token = portal.app_token = "another"
        failed, examined = (command(kaggle, environment, *arguments) for arguments in (run, ["doctor"]))
    assert ended.code == 0 and "crime_csv 2014: 36 rows" in ended.output, ended.output[-3000:]
    assert "503 (Service Unavailable)" in ended.output, "the logs of the libraries are searched"
    assert (failed.code, "was not accepted" in words_of(failed)) == (1, True)
    assert (examined.code, refused in words_of(examined)) == (1, True)
    assert "CHICAGO_CRIME_PORTAL_APP_TOKEN=(a secret)" in examined.output

    assert files_below(tmp_path / "home") == {}
    written, output = files_below(tmp_path / "data"), ended.output + failed.output + examined.output
    assert any(name.endswith(".db") for name in written), "Dagster's events are searched"
    secrets = [*SECRETS.values(), *map(kaggle.storage.signature, files)]
    assert places_of(secrets, written | {"output": output.encode()}) == []


def places_in(cloud: Cloud, output: str) -> dict[str, bytes]:
    """Everything that was printed, written locally, or sent to Google except to sign in."""
    places = {"output": output.encode()} | files_below(cloud.settings.data_dir) | files_below(cloud.folder / "buckets")
    for job in cloud.bigquery.jobs.by_id.values():
        places[f"job {job.id}"] = json.dumps(job.resource(), default=str).encode()
    for table in cloud.bigquery.catalog.tables.values():
        places[f"labels of {table.name}"] = json.dumps(table.labels).encode()
    for name, task in cloud.dataproc.jobs.items():
        places[f"job {name}"] = json.dumps(task.resource, default=str).encode()
    for name, server in cloud.servers.items():
        for call in server.calls:
            places[f"{name} {call.path}"] = call.body + str(call.query).encode()
    return places


def secrets_of(cloud: Cloud) -> set[str]:
    """Kaggle's token, the service account's private key, and the tokens that Google issued for it."""
    requests = [one for server in (*cloud.servers.values(), cloud.access) for one in server.requests]
    headers = {value for one in requests for name, value in one.headers.items() if name.lower() == "authorization"}
    tokens = {header.removeprefix("Bearer ") for header in headers}
    assert any(token.startswith(("ya29.", "eyJ")) for token in tokens), "there are tokens to search for"
    signatures = {token.split(".")[-1] for token in tokens if token.count(".") == 2}  # logs may truncate tokens
    key = private_key()
    return {TOKEN_IN_SECRET_MANAGER, key.splitlines()[1], json.dumps(key)[30:90], *tokens, *signatures}


def test_a_failed_run_in_the_cloud_leaves_no_secret_anywhere(tmp_path: Path) -> None:
    files = {"Chicago_Crimes_2014.csv": write_csv(tmp_path / "2014.csv", crimes_of_months(YEAR)).read_bytes()}
    with cloud_in(tmp_path) as cloud, KaggleServer(files, TOKEN_IN_SECRET_MANAGER).answering() as kaggle:
        settings = {"CHICAGO_CRIME_SOURCE": "kaggle", "CHICAGO_CRIME_KAGGLE_SECRET": SECRET}
        environment = cloud.environment | settings | {"HOME": str(tmp_path / "home")}
        cloud.access.secrets[SECRET] = [TOKEN_IN_SECRET_MANAGER.encode()]
        cloud.dataproc.creation_fails = "The zone does not have enough resources."
        ended = command(kaggle, environment, "run", "--years", str(YEAR))
        doctor = command(kaggle, environment, "doctor")
        assert (ended.code, "does not have enough resources" in words_of(ended)) == (1, True), ended.output[-3000:]
        assert re.search(r"DEBUG:urllib3|DEBUG:google", ended.output), "the logs of the libraries are searched"
        assert list(cloud.settings.data_dir.rglob("*.db")), "Dagster's events are searched"
        assert f"CHICAGO_CRIME_KAGGLE_SECRET={SECRET}" in doctor.output, "the doctor's output is searched"
        assert places_of(secrets_of(cloud), places_in(cloud, ended.output + doctor.output)) == []
