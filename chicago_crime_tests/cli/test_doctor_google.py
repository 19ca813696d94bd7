"""Tests of `chicago_crime/doctor_gcp.py` and `doctor_tables.py`: one thing is broken at a time, and is told alone."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from chicago_crime.cli.app import app
from chicago_crime.cli.doctor import google as doctor_gcp
from chicago_crime.cli.doctor.finding import Finding
from chicago_crime.cli.doctor.google import examine_cloud
from chicago_crime.installation import build_bigquery
from chicago_crime.settings import Settings, load_settings
from chicago_crime.storage.google.permissions import grants_for
from chicago_crime.tables import CRIMES, TABLES
from chicago_crime_tests.servers.credentials import EMAIL, PROJECT_ID, private_key, service_account_file
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.whole_cloud import BUCKET, DATASET, SECRET, WORKER, WholeCloud, whole_cloud

US = f"--member=serviceAccount:{EMAIL}"
NOBODY = "http://127.0.0.1:9"
"""An address that nobody answers at."""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WholeCloud]:
    """A cloud in which nothing is amiss, and nothing was loaded."""
    with whole_cloud(tmp_path, engine="", dataproc_service_account=WORKER, kaggle_secret=SECRET) as cloud:
        yield cloud


@pytest.fixture
def tables(cloud: WholeCloud) -> WholeCloud:
    """The same, with all tables in their dataset."""
    build_bigquery(settings_of(cloud)).tables.make_ready([CRIMES])
    return cloud


def settings_of(cloud: WholeCloud, **changes: object) -> Settings:
    given = {name.removeprefix("CHICAGO_CRIME_").lower(): value for name, value in cloud.environment.items()}
    return load_settings(**(given | changes))


def ill(cloud: WholeCloud, **changes: object) -> list[Finding]:
    """What the doctor finds that is not well."""
    return [finding for finding in examine_cloud(settings_of(cloud, **changes)) if finding.state != "ok"]


def test_where_nothing_is_amiss_everything_is_well(cloud: WholeCloud) -> None:
    findings = list(examine_cloud(settings_of(cloud)))
    assert [finding for finding in findings if finding.state != "ok" or finding.fix] == []
    told = {finding.what: finding.detail for finding in findings}
    assert told["credentials"] == f"serviceAccount:{EMAIL}"
    assert told["APIs"] == "bigquery, cloudresourcemanager, dataproc, iam, secretmanager, storage"
    assert told["dataset chicago_crime"].startswith("not there yet: the first run makes it")
    assert told["places"] == "bucket in us-central1, machines in us-central1"
    assert "google-cloud-bigquery 3." in told["google libraries"]


def test_tables_that_are_there_are_tried(tables: WholeCloud) -> None:
    findings = list(examine_cloud(settings_of(tables)))
    assert [finding for finding in findings if finding.state != "ok"] == []
    told = {finding.what: finding.detail for finding in findings}
    assert told["dataset chicago_crime: make tables"] == f"{len(TABLES)} dry runs of their DDL"
    assert told["dataset chicago_crime: ask tables"] == "0 rows in crimes"
    assert "tables.updateData" in told["dataset chicago_crime: bigquery.dataEditor"]
    assert told["places"].startswith("bucket in us-central1, dataset in us-central1")


def test_looking_changes_nothing(tables: WholeCloud) -> None:
    before = tables.bigquery.writes()
    list(examine_cloud(settings_of(tables)))
    assert tables.bigquery.writes() == before
    assert {asked.method for asked in tables.storage.calls + tables.dataproc.calls} == {"GET"}
    assert all(asked.path.endswith(":testIamPermissions") for asked in tables.access.calls)


def test_what_only_serverless_needs_is_asked_only_there(cloud: WholeCloud) -> None:
    cloud.access.forbidden = {"dataproc.clusters.create"}
    assert ill(cloud, dataproc_mode="serverless") == []
    cloud.access.forbidden = {"dataproc.batches.create"}
    assert ill(cloud) == []
    [finding] = ill(cloud, dataproc_mode="serverless")
    assert "dataproc.batches.create" in finding.detail
    assert {asked.path.split("/")[-2] for asked in cloud.dataproc.calls} == {"batches", "clusters"}


@pytest.mark.parametrize(
    ("permission", "role"),
    [
        ("bigquery.jobs.create", "roles/bigquery.jobUser"),
        ("bigquery.datasets.create", "roles/bigquery.user"),
        ("dataproc.clusters.create", "roles/dataproc.editor"),
        ("dataproc.clusters.delete", "roles/dataproc.editor"),
        ("dataproc.clusters.use", "roles/dataproc.editor"),
        ("dataproc.jobs.create", "roles/dataproc.editor"),
        ("dataproc.jobs.cancel", "roles/dataproc.editor"),
    ],
)
def test_a_permission_that_lacks_on_the_project_is_told_with_the_command(
    cloud: WholeCloud, permission: str, role: str
) -> None:
    cloud.access.forbidden = {permission}
    [finding] = ill(cloud)
    assert finding.state == "broken"
    assert f"not allowed: {permission} (" in finding.detail
    assert finding.fix == (f"gcloud projects add-iam-policy-binding {PROJECT_ID} --condition=None {US} --role={role}")


@pytest.mark.parametrize("verb", ["create", "delete", "get", "list"])
def test_a_permission_that_lacks_on_the_bucket_is_told_with_the_command(cloud: WholeCloud, verb: str) -> None:
    cloud.storage.permissions -= {f"storage.objects.{verb}"}
    [finding] = ill(cloud)
    assert f"not allowed: storage.objects.{verb} (" in finding.detail
    assert finding.fix == (
        f"gcloud storage buckets add-iam-policy-binding gs://{BUCKET} {US} --role=roles/storage.objectUser"
    )


def test_not_to_see_where_the_bucket_is_is_only_a_warning(cloud: WholeCloud) -> None:
    cloud.storage.permissions -= {"storage.buckets.get"}
    [finding] = ill(cloud)
    assert finding.state == "warning"
    assert finding.fix.endswith("--role=roles/storage.legacyBucketReader")


@pytest.mark.parametrize("permission", ["getData", "update", "updateData", "export"])
def test_a_permission_that_lacks_on_a_table_is_told_with_the_command(tables: WholeCloud, permission: str) -> None:
    tables.bigquery.forbidden = {f"bigquery.tables.{permission}"}
    [finding] = ill(tables)
    assert f"not allowed: bigquery.tables.{permission} (" in finding.detail
    assert grants_dataset_editor(finding)


@pytest.mark.parametrize("permission", ["bigquery.datasets.get", "bigquery.tables.get", "bigquery.tables.create"])
def test_a_permission_that_lacks_on_the_dataset_is_told_with_the_command(tables: WholeCloud, permission: str) -> None:
    tables.bigquery.forbidden = {permission}
    [finding] = ill(tables)
    assert f"Permission {permission} denied" in finding.detail
    assert grants_dataset_editor(finding)


def grants_dataset_editor(finding: Finding) -> bool:
    words = shlex.split(finding.fix)
    statement = f'GRANT `roles/bigquery.dataEditor` ON SCHEMA `{PROJECT_ID}.{DATASET}` TO "serviceAccount:{EMAIL}"'
    return words == ["bq", "query", "--use_legacy_sql=false", f"--project_id={PROJECT_ID}", statement]


def test_that_we_may_not_act_as_the_machines_account_is_told_with_the_command(cloud: WholeCloud) -> None:
    cloud.access.forbidden = {"iam.serviceAccounts.actAs"}
    [finding] = ill(cloud)
    assert finding.fix == (
        f"gcloud iam service-accounts add-iam-policy-binding {WORKER} --project={PROJECT_ID} {US} "
        "--role=roles/iam.serviceAccountUser"
    )


def test_an_account_for_machines_that_is_not_there_is_told_with_the_command(cloud: WholeCloud) -> None:
    cloud.access.accounts = set()
    [finding] = ill(cloud)
    assert finding.fix == f"gcloud iam service-accounts create spark --project={PROJECT_ID}"


@pytest.mark.parametrize("is_there", [True, False])
def test_a_secret_that_we_may_not_read_is_told_with_the_command(cloud: WholeCloud, is_there: bool) -> None:
    if is_there:
        cloud.access.may_read = False
    else:
        cloud.access.secrets = {}
    [finding] = ill(cloud)
    assert "secretmanager.versions.access" in finding.detail
    assert finding.fix == (
        f"gcloud secrets add-iam-policy-binding kaggle-token --project={PROJECT_ID} {US} "
        "--role=roles/secretmanager.secretAccessor"
    )


@pytest.mark.parametrize(
    ("api", "state"),
    [
        ("storage.v1", "broken"),
        ("bigquery.v2", "broken"),
        ("dataproc.v1", "broken"),
        ("secretmanager.v1", "broken"),
        ("iam.v1", "warning"),
        ("cloudresourcemanager.v3", "warning"),
    ],
)
def test_an_api_that_is_off_is_told_once_with_the_command(cloud: WholeCloud, api: str, state: str) -> None:
    for server in (cloud.storage, cloud.bigquery, cloud.dataproc, cloud.access):
        server.switched_off = {api}
    [finding] = ill(cloud)
    service = f"{api.partition('.')[0]}.googleapis.com"
    assert (finding.what, finding.state) == (f"API {service}", state)
    assert finding.fix == f"gcloud services enable {service} --project={PROJECT_ID}"


def test_a_bucket_that_is_not_there_is_told_with_the_command(cloud: WholeCloud) -> None:
    [finding] = ill(cloud, gcs_bucket="another")
    assert finding.fix == (
        f"gcloud storage buckets create gs://another --project={PROJECT_ID} --location=us-central1 "
        "--uniform-bucket-level-access"
    )


def test_a_project_that_is_not_there_is_told(cloud: WholeCloud) -> None:
    finding = ill(cloud, gcp_project="mistyped")[0]
    assert (finding.what, finding.detail) == ("project mistyped", "The caller does not have permission")
    assert finding.fix.startswith("export CHICAGO_CRIME_GCP_PROJECT=")


@pytest.mark.parametrize(
    ("bucket", "dataset", "fix"),
    [
        ("EUROPE-WEST1", None, "export CHICAGO_CRIME_GCP_REGION=europe-west1"),
        ("EUROPE-WEST1", "europe-west1", "export CHICAGO_CRIME_GCP_REGION=europe-west1"),
        ("US-CENTRAL1", "US", "export CHICAGO_CRIME_BIGQUERY_DATASET=chicago_crime_us_central1"),
        (
            "EU",
            "us-central1",
            f"gcloud storage buckets create gs://{BUCKET}-us-central1 --project={PROJECT_ID} --location=us-central1 "
            f"--uniform-bucket-level-access && export CHICAGO_CRIME_GCS_BUCKET={BUCKET}-us-central1",
        ),
    ],
)
def test_places_that_are_not_one_are_told(cloud: WholeCloud, bucket: str, dataset: str | None, fix: str) -> None:
    cloud.storage.location = bucket
    if dataset:
        reference = {"datasetReference": {"projectId": PROJECT_ID, "datasetId": DATASET}, "location": dataset}
        cloud.bigquery.catalog.add_dataset(DATASET, reference)
        cloud.bigquery.location = dataset
    [finding] = ill(cloud)
    assert (finding.what, finding.fix) == ("places", fix)
    assert f"bucket in {bucket.lower()}" in finding.detail


def test_a_table_that_is_not_as_it_should_be_is_told_with_the_migration(tables: WholeCloud) -> None:
    live = tables.bigquery.catalog.find(DATASET, "crimes_daily")
    tables.bigquery.catalog.add_column(live, "strange", "STRING", "")
    [finding] = ill(tables)
    assert finding.what == "table crimes_daily"
    assert "a column strange STRING" in finding.detail
    assert shlex.split(finding.fix)[-1] == f"ALTER TABLE `{DATASET}.crimes_daily` DROP COLUMN `strange`"


def without_file(cloud: WholeCloud, folder: Path) -> dict[str, object]:
    return {"gcp_credentials": folder / "nowhere.json"}


def no_credentials_in_it(cloud: WholeCloud, folder: Path) -> dict[str, object]:
    (folder / "some.json").write_text(json.dumps({"private_key": "planted0key"}))
    return {"gcp_credentials": folder / "some.json"}


def of_a_deleted_account(cloud: WholeCloud, folder: Path) -> dict[str, object]:
    file = service_account_file(folder / "other", cloud.access.token_uri)
    file.write_text(file.read_text().replace("-----BEGIN PRIVATE KEY-----\\n", "-----BEGIN PRIVATE KEY-----\\nAAAA"))
    return {"gcp_credentials": file}


def office_refuses(cloud: WholeCloud, folder: Path) -> dict[str, object]:
    cloud.access.will(Fault(status=400), on="/token", times=20)
    return {}


def text_of(file: Path | None) -> str:
    return file.read_text() if file and file.exists() else ""


@pytest.mark.parametrize("spoil", [without_file, no_credentials_in_it, of_a_deleted_account, office_refuses])
def test_credentials_that_do_not_do_are_told_and_nothing_else_is_asked(
    cloud: WholeCloud, tmp_path: Path, spoil: Callable[[WholeCloud, Path], dict[str, object]]
) -> None:
    settings = settings_of(cloud, **spoil(cloud, tmp_path))
    [finding] = [finding for finding in examine_cloud(settings) if finding.state != "ok"]
    assert finding.what == "credentials"
    assert "planted0key" not in finding.detail
    email = EMAIL if "client_email" in text_of(settings.gcp_credentials) else "...@chicago-test.iam.gserviceaccount.com"
    assert finding.fix == f"gcloud iam service-accounts keys create {settings.gcp_credentials} --iam-account={email}"
    assert cloud.storage.calls + cloud.bigquery.calls + cloud.dataproc.calls + cloud.access.calls == []


@pytest.mark.parametrize("name", ["gcs_endpoint", "bigquery_endpoint", "dataproc_endpoint", "google_api_endpoint"])
def test_a_service_that_cannot_be_reached_is_told(cloud: WholeCloud, name: str) -> None:
    found = ill(cloud, **{name: NOBODY})
    assert found
    assert all("cannot be reached" in finding.detail and finding.fix for finding in found)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_service_that_does_not_answer_well_is_told(cloud: WholeCloud, status: int) -> None:
    cloud.bigquery.will(Fault(status=status), times=100)
    [finding] = ill(cloud)
    assert f"HTTP status {status}" in finding.detail


def doctor(cloud: WholeCloud, **changes: str) -> Result:
    return CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "150", **cloud.environment, **changes})


def test_the_command_shows_what_mends_each_thing_in_one_line(cloud: WholeCloud) -> None:
    cloud.access.forbidden = {"bigquery.jobs.create", "iam.serviceAccounts.actAs"}
    cloud.bigquery.switched_off = {"bigquery.v2"}
    result = doctor(cloud)
    assert result.exit_code == 1
    lines = [line.strip() for line in result.output.splitlines()]
    commands = [line for line in lines if line.startswith("gcloud ")]
    assert [command.split()[1] for command in commands] == ["services", "projects", "iam"]
    assert "Traceback" not in result.output


def test_the_command_is_content_where_all_is_well(cloud: WholeCloud) -> None:
    result = doctor(cloud)
    assert result.exit_code == 0, result.output
    for told in ("google libraries", "credentials", "spark engine dataproc", "dagster home"):
        assert told in result.output


def test_no_secret_is_shown_whatever_is_amiss(cloud: WholeCloud) -> None:
    """All that fails is made to fail in turn, with the tokens and keys that travel looked for in what is printed."""
    told = ""
    for spoil in range(5):
        cloud.access.forbidden = {"bigquery.jobs.create"} if spoil == 1 else set()
        cloud.access.may_read = spoil != 2
        if spoil == 3:
            cloud.bigquery.will(Fault(status=401), times=100)
        more = {"CHICAGO_CRIME_KAGGLE_API_TOKEN": "KGAT_planted1token", "CHICAGO_CRIME_KAGGLE_KEY": "planted2key"}
        if spoil == 4:
            more["CHICAGO_CRIME_GCS_ENDPOINT"] = "http://me:planted3word@127.0.0.1:9"
        result = doctor(cloud, **more)
        assert "Traceback" not in result.output
        told += result.output
    sent = {asked.headers.get("Authorization", "").removeprefix("Bearer ") for asked in cloud.bigquery.calls}
    lines_of_key = [line for line in private_key().splitlines() if len(line) > 20]
    secrets = {"KGAT_planted0token", "KGAT_planted1token", "planted2key", "planted3word", *sent, *lines_of_key} - {""}
    assert len(secrets) > 10
    assert [secret for secret in secrets if secret in told] == []


def test_every_permission_is_asked_about(tables: WholeCloud) -> None:
    """What stands in the table of roles is what the doctor tries: neither more nor less."""
    settings = settings_of(tables)
    list(examine_cloud(settings))
    asked: set[str] = set()
    for server in (tables.bigquery, tables.access):
        for call in server.calls:
            if call.path.endswith(":testIamPermissions"):
                asked |= set(json.loads(call.body)["permissions"])
    for call in tables.storage.calls:
        if "permissions=" in call.path or call.path.endswith("testPermissions"):
            asked.add("storage")
    wanted = {p for grant in grants_for(settings) if grant.tried for p in grant.permissions}
    by_doing = {"bigquery.datasets.get", "bigquery.tables.create", "bigquery.tables.list"}
    assert {p for p in wanted if not p.startswith("storage.")} - by_doing == asked - {"storage"}


def test_without_googles_libraries_one_is_told_how_to_get_them(
    cloud: WholeCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_gcp, "LIBRARIES", ("google-auth", "no-such-package"))
    [finding] = list(examine_cloud(settings_of(cloud)))
    assert (finding.state, finding.fix) == ("broken", "pip install 'chicago-crime[gcp]'")
