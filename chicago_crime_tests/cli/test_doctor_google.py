"""Tests of the doctor's checks of Google Cloud: one problem at a time, which is the only finding."""

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from chicago_crime.cli.doctor import Finding
from chicago_crime.cli.doctor.google import examine_google
from chicago_crime.installation import Installation
from chicago_crime.storage.google.permissions import grants_for
from chicago_crime.tables import CRIMES
from chicago_crime_tests.servers.credentials import EMAIL, PROJECT_ID
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.whole_cloud import BUCKET, DATASET, SECRET, STAGING, WORKER, WholeCloud, whole_cloud

US = f"--member=serviceAccount:{EMAIL}"
EDITOR = f'GRANT `roles/bigquery.dataEditor` ON SCHEMA `{PROJECT_ID}.{DATASET}` TO "serviceAccount:{EMAIL}"'


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[WholeCloud]:
    """A working cloud without data."""
    with whole_cloud(tmp_path, runs=False, dataproc_service_account=WORKER, kaggle_secret=SECRET) as cloud:
        yield cloud


@pytest.fixture
def tables(cloud: WholeCloud) -> WholeCloud:
    """The same cloud with a dataset and empty tables."""
    Installation(cloud.settings).warehouse.tables.make_ready(CRIMES)
    return cloud


def problems(cloud: WholeCloud, **changes: object) -> list[Finding]:
    found = examine_google(Installation(cloud.settings_with(**changes)))
    return [finding for finding in found if finding.state != "ok"]


def details(cloud: WholeCloud) -> dict[str, str]:
    """What the doctor finds in a cloud in which all is well."""
    found = list(examine_google(Installation(cloud.settings)))
    assert [finding for finding in found if finding.state != "ok" or finding.fix] == []
    return {finding.what: finding.detail for finding in found}


def test_a_fresh_project_is_ok(cloud: WholeCloud) -> None:
    found = details(cloud)
    assert found["credentials"] == f"serviceAccount:{EMAIL}"
    assert found["APIs"] == "bigquery, cloudresourcemanager, compute, dataproc, iam, secretmanager, storage"
    assert found["dataset chicago_crime"].startswith("does not exist yet: the first run creates it")
    assert found["region"] == "bucket in us-central1, staging in us-central1, clusters in us-central1"


def test_existing_tables_are_checked_for_exactly_the_documented_permissions(tables: WholeCloud) -> None:
    before = tables.bigquery.writes
    found = details(tables)
    assert "tables.updateData" in found["dataset chicago_crime: bigquery.dataEditor"]
    assert found["region"].startswith("bucket in us-central1, staging in us-central1, dataset in us-central1")
    assert tables.bigquery.writes == before
    assert {request.method for request in tables.storage.calls + tables.dataproc.calls} == {"GET"}
    asked = [one for one in tables.bigquery.calls + tables.access.calls if one.path.endswith(":testIamPermissions")]
    tested = {permission for one in asked for permission in json.loads(one.body)["permissions"]}
    assert any(call.path.endswith("/iam/testPermissions") for call in tables.storage.calls)
    grants = grants_for(tables.settings)
    needed = {permission for grant in grants if grant.to == "platform" for permission in grant.permissions}
    by_doing = {"bigquery.datasets.get", "bigquery.tables.create", "bigquery.tables.list"}
    assert {p for p in needed if not p.startswith("storage.")} - by_doing == tested


ON_PROJECT = f"gcloud projects add-iam-policy-binding {PROJECT_ID} --condition=None {US} --role=roles/"
ON_ACCOUNT = f"gcloud iam service-accounts add-iam-policy-binding {WORKER} --project={PROJECT_ID} {US} --role=roles/"
ON_SECRET = f"gcloud secrets add-iam-policy-binding kaggle-token --project={PROJECT_ID} {US} --role=roles/"
ON_DATASET = f"bq query --use_legacy_sql=false --project_id={PROJECT_ID} {shlex.quote(EDITOR)}"


@pytest.mark.parametrize(
    ("permission", "fix"),
    [
        ("bigquery.jobs.create", f"{ON_PROJECT}bigquery.jobUser"),
        ("dataproc.clusters.use", f"{ON_PROJECT}dataproc.editor"),
        ("dataproc.batches.create", f"{ON_PROJECT}dataproc.serverlessEditor"),
        ("bigquery.tables.updateData", ON_DATASET),
        ("bigquery.datasets.get", ON_DATASET),
        ("iam.serviceAccounts.actAs", f"{ON_ACCOUNT}iam.serviceAccountUser"),
        ("secretmanager.versions.access", f"{ON_SECRET}secretmanager.secretAccessor"),
    ],
)
def test_a_missing_permission(tables: WholeCloud, permission: str, fix: str) -> None:
    tables.access.forbidden = tables.bigquery.forbidden = {permission}
    mode, other = ("serverless", "cluster") if "batches" in permission else ("cluster", "serverless")
    [finding] = problems(tables, dataproc_mode=mode)
    assert (finding.state, shlex.split(finding.fix)) == ("broken", shlex.split(fix))
    assert permission in finding.detail
    assert (problems(tables, dataproc_mode=other) == []) == permission.startswith("dataproc.")


def test_a_missing_permission_on_the_buckets(cloud: WholeCloud) -> None:
    cloud.storage.forbidden = {"storage.objects.list"}
    for finding, bucket in zip(problems(cloud), (BUCKET, STAGING), strict=True):
        assert (finding.state, "missing permission: storage.objects.list (" in finding.detail) == ("broken", True)
        add = "gcloud storage buckets add-iam-policy-binding"
        assert finding.fix == f"{add} gs://{bucket} {US} --role=roles/storage.objectUser"


def test_too_few_processors(cloud: WholeCloud) -> None:
    cloud.access.quotas |= {"N2_CPUS": 8.0, "CPUS_ALL_REGIONS": 10.0}
    [finding] = problems(cloud)
    few = "the cluster needs 12 processors, but the quotas leave 8 in N2_CPUS and 10 in CPUS_ALL_REGIONS"
    assert (finding.state, finding.detail) == ("warning", few)
    assert problems(cloud, dataproc_workers=0) == []
    [of_batch] = problems(cloud, dataproc_mode="serverless")
    assert of_batch.detail == "a batch needs 12 processors, but the quotas leave 10 in CPUS_ALL_REGIONS"


def test_a_dataset_whose_rows_expire(tables: WholeCloud) -> None:
    tables.bigquery.catalog.datasets[DATASET]["defaultPartitionExpirationMs"] = str(60 * 86_400_000)
    [finding] = problems(tables)
    assert finding.detail == "rows of new tables expire after 60 days, rows of earlier years immediately"
    assert f"--default_partition_expiration=0 {PROJECT_ID}:{DATASET}" in finding.fix


def test_apis_that_are_not_enabled(cloud: WholeCloud) -> None:
    for server in (cloud.storage, cloud.bigquery, cloud.dataproc, cloud.access):
        server.switched_off = {"storage.v1", "iam.v1"}
    found = {finding.what: finding for finding in problems(cloud)}
    for service, state in (("storage.googleapis.com", "broken"), ("iam.googleapis.com", "warning")):
        finding = found[f"API {service}"]
        assert (finding.state, finding.fix) == (state, f"gcloud services enable {service} --project={PROJECT_ID}")


def test_a_bucket_a_project_and_a_service_account_that_do_not_exist(cloud: WholeCloud) -> None:
    [finding] = problems(cloud, gcs_bucket="another")
    create = f"gcloud storage buckets create gs://another --project={PROJECT_ID} --location=us-central1"
    assert finding.fix == f"{create} --uniform-bucket-level-access"
    finding = problems(cloud, gcp_project="mistyped")[0]
    assert (finding.what, finding.detail) == ("project mistyped", "The caller does not have permission")
    assert finding.fix.startswith("export CHICAGO_CRIME_GCP_PROJECT=")
    cloud.access.accounts = set()
    [finding] = problems(cloud)
    assert finding.fix == f"gcloud iam service-accounts create spark --project={PROJECT_ID}"


@pytest.mark.parametrize(("bucket", "dataset"), [("EUROPE-WEST1", "europe-west1"), ("US-CENTRAL1", "US")])
def test_more_than_one_region(cloud: WholeCloud, bucket: str, dataset: str) -> None:
    cloud.storage.location = bucket
    reference = {"datasetReference": {"projectId": PROJECT_ID, "datasetId": DATASET}, "location": dataset}
    cloud.bigquery.catalog.add_dataset(DATASET, reference)
    cloud.bigquery.location = dataset
    [finding] = problems(cloud)
    assert (finding.what, finding.fix.split("=")[0]) == ("region", "export CHICAGO_CRIME_GCP_REGION")
    assert f"bucket in {bucket.lower()}" in finding.detail and f"dataset in {dataset.lower()}" in finding.detail


def test_invalid_credentials_are_the_only_finding(cloud: WholeCloud, tmp_path: Path) -> None:
    file = tmp_path / "some.json"
    file.write_text(json.dumps({"private_key": "planted0key"}))
    [finding] = problems(cloud, gcp_credentials=file)
    assert finding.what == "credentials" and "set CHICAGO_CRIME_GCP_CREDENTIALS to" in finding.fix
    assert "planted0key" not in finding.detail
    cloud.access.will(Fault(status=400), on="/token", times=20)
    [finding] = problems(cloud)
    assert finding.what == "credentials"
    assert cloud.storage.calls + cloud.bigquery.calls + cloud.dataproc.calls + cloud.access.calls == []


def test_missing_credentials_need_a_sign_in(cloud: WholeCloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nowhere.json"))
    [finding] = problems(cloud, gcp_credentials=None, gcs_endpoint=None)
    login = "gcloud auth application-default login"
    assert finding.fix == f"{login} && gcloud auth application-default set-quota-project {PROJECT_ID}"


def test_a_service_that_is_unreachable_or_sends_an_error_page(cloud: WholeCloud) -> None:
    found = problems(cloud, gcs_endpoint="http://127.0.0.1:9", google_api_endpoint="http://127.0.0.1:9")
    assert len(found) > 1
    assert all("cannot be reached" in finding.detail and finding.fix for finding in found)
    cloud.bigquery.will(Fault(status=401), times=100)
    assert "HTTP status 401" in str(problems(cloud))
