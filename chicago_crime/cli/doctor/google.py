"""The doctor's checks of Google Cloud: credentials, APIs, permissions, bucket, dataset, tables, Spark and secret.

Each check tries what a run will need, without changing anything. The permissions are listed in `permissions.py`.
"""

import json
import uuid
from collections.abc import Iterator

from google.cloud import bigquery

from chicago_crime.cli.doctor.finding import Finding
from chicago_crime.errors import PlatformError
from chicago_crime.installation import Installation
from chicago_crime.settings import PREFIX, Settings
from chicago_crime.storage.google import permissions, rest
from chicago_crime.storage.google.bigquery import ddl
from chicago_crime.storage.google.permissions import Grant, Place, as_command, grant_command, grants_for
from chicago_crime.storage.google.prices import vcpus
from chicago_crime.storage.warehouse import WarehouseError
from chicago_crime.tables import CRIMES, TABLES

_OF_THE_DATASET = {"bigquery.datasets.get", "bigquery.tables.create", "bigquery.tables.list"}
"""Permissions that cannot be tested on a table."""


def examine_google(installation: Installation) -> Iterator[Finding]:
    """Check everything the platform needs on Google Cloud. Checks that depend on something broken are left out."""
    settings = installation.settings
    try:
        google = rest.GoogleRest(settings)
        google.sign_in()
        probe = Probe(settings, google)
    except PlatformError as error:
        yield Finding("credentials", "broken", str(error), _sign_in_command(settings))
        return
    yield Finding("credentials", "ok", probe.who)
    yield from probe.findings()


def _sign_in_command(settings: Settings) -> str:
    """The command that gets working credentials."""
    file = settings.gcp_credentials
    if file is None:
        login = as_command("gcloud", "auth", "application-default", "login")
        quota = as_command("gcloud", "auth", "application-default", "set-quota-project", settings.gcp_project or "")
        return f"{login} && {quota}"
    try:
        email = str(json.loads(file.read_text())["client_email"])
    except (OSError, ValueError, KeyError, TypeError):
        email = f"...@{settings.gcp_project}.iam.gserviceaccount.com"
    return as_command("gcloud", "iam", "service-accounts", "keys", "create", str(file), f"--iam-account={email}")


class Probe:
    """All checks with one sign-in: it sends the requests to all services first, then judges the answers.

    Attributes:
        settings: of the installation.
        google: sends requests.
        member: who we are, as Google's policies write it.
        answers: what each request was answered.
    """

    def __init__(self, settings: Settings, google: rest.GoogleRest):
        self.settings, self.google, self.member = settings, google, google.member
        self.answers: dict[str, rest.Answer] = {}

    @property
    def who(self) -> str:
        """Who we are, for a person."""
        if self.google.credentials is None:
            return "none: all services are emulators"
        return "a person's, from gcloud" if "$(" in self.member else self.member

    def findings(self) -> Iterator[Finding]:
        """Send the requests, then judge the answers."""
        self._send_requests()
        yield from self._apis()
        yield from self._project()
        for place, objects, bucket in self._buckets():
            yield from self._bucket(place, bucket, objects)
        yield from self._dataset()
        if self.answers["dataset"].is_good:
            yield from self._tables()
        yield self._region()
        yield from self._spark()
        if "secret" in self.answers:
            # Google answers for a missing secret as for one without permissions.
            what = f"secret {self.settings.kaggle_secret} (if it exists)"
            yield from self._tested(what, permissions.SECRET, self.answers["secret"])

    def _send_requests(self) -> None:
        settings, send, answers = self.settings, self.google.send, self.answers
        project, region = settings.gcp_project, settings.gcp_region
        answers["project"] = send(rest.PROJECTS, f"/v3/projects/{project}:testIamPermissions", self._to_test("project"))
        for place, objects, bucket in self._buckets():
            path = f"/storage/v1/b/{bucket}"
            answers[place] = send(rest.STORAGE, path)
            answers[objects] = send(rest.STORAGE, f"{path}/iam/testPermissions", query=self._to_test(place))
        dataset = f"/bigquery/v2/projects/{project}/datasets/{settings.bigquery_dataset}"
        answers["dataset"] = send(rest.BIGQUERY, dataset)
        # A cluster or batch that does not exist: all that matters is whether Dataproc says so.
        is_cluster = settings.dataproc_mode == "cluster"
        where = f"regions/{region}/clusters" if is_cluster else f"locations/{region}/batches"
        answers["spark"] = send(rest.DATAPROC, f"/v1/projects/{project}/{where}/requested-by-doctor")
        if is_cluster:
            answers["quotas"] = send(rest.COMPUTE, f"/compute/v1/projects/{project}/regions/{region}")
        if account := settings.dataproc_service_account:
            path = f"/v1/projects/-/serviceAccounts/{account}:testIamPermissions"
            answers["account"] = send(rest.ACCOUNTS, path, self._to_test("account"))
        if settings.kaggle_secret:
            path = f"/v1/{'/'.join(settings.kaggle_secret.split('/')[:4])}:testIamPermissions"
            answers["secret"] = send(rest.SECRETS, path, self._to_test("secret"))

    def _buckets(self) -> list[tuple[Place, str, str]]:
        """What each bucket and the permissions on it are called among the answers, and the bucket."""
        buckets: list[tuple[Place, str, str]] = [("bucket", "objects", str(self.settings.gcs_bucket))]
        if self.settings.gcs_staging_bucket:
            buckets.append(("staging", "staged", self.settings.gcs_staging_bucket))
        if self.settings.gcs_site_bucket:
            buckets.append(("site", "pages", self.settings.gcs_site_bucket))
        return buckets

    def _to_test(self, place: Place) -> dict[str, list[str]]:
        return {"permissions": [each for grant in self._grants_on(place) for each in grant.permissions]}

    def _grants_on(self, place: Place) -> list[Grant]:
        return [grant for grant in grants_for(self.settings) if grant.on == place and grant.is_testable]

    def _refused(self, what: str, answer: rest.Answer, grant: Grant) -> Iterator[Finding]:
        """The finding of an answer that is an error; none if its API is off, which is a finding of its own."""
        if answer.is_good or answer.is_off:
            return
        fix = "try again later: chicago-crime doctor"
        if answer.status == 401:
            fix = _sign_in_command(self.settings)
        elif answer.status in (400, 403, 404):
            fix = grant_command(grant, self.settings, self.member)
        yield Finding(what, "broken", answer.message or f"HTTP status {answer.status}", fix)

    def _held(self, what: str, grant: Grant, held: set[str]) -> Finding:
        """Whether we hold all permissions of a role that the platform uses."""
        what = f"{what}: {grant.role.removeprefix('roles/')}"
        if missing := [permission for permission in grant.permissions if permission not in held]:
            detail = f"missing permission: {', '.join(missing)} (needed to {grant.reason})"
            return Finding(what, "broken", detail, grant_command(grant, self.settings, self.member))
        return Finding(what, "ok", f"may {', '.join(p.partition('.')[2] for p in grant.permissions)}")

    def _tested(self, what: str, grant: Grant, answer: rest.Answer) -> Iterator[Finding]:
        if answer.is_good:
            yield self._held(what, grant, answer.permissions)
        else:
            yield from self._refused(what, answer, grant)

    def _apis(self) -> Iterator[Finding]:
        off = {answer.service: name for name, answer in self.answers.items() if answer.is_off}
        for service, name in off.items():
            fix = as_command("gcloud", "services", "enable", service, f"--project={self.settings.gcp_project}")
            if name in ("project", "account"):  # only the doctor calls these services
                yield Finding(f"API {service}", "warning", "not enabled: permissions cannot be tested", fix)
            else:
                yield Finding(f"API {service}", "broken", "not enabled", fix)
        if on := {answer.service for answer in self.answers.values() if answer.status} - off.keys():
            yield Finding("APIs", "ok", ", ".join(sorted(service.partition(".")[0] for service in on)))

    def _project(self) -> Iterator[Finding]:
        what, answer = f"project {self.settings.gcp_project}", self.answers["project"]
        if answer.status in (400, 403, 404) and not answer.is_off:
            fix = f"export {PREFIX}GCP_PROJECT=...  (one of `gcloud projects list`)"
            yield Finding(what, "broken", answer.message, fix)
        elif not answer.is_good:
            yield from self._refused(what, answer, permissions.JOBS)
        else:
            for grant in self._grants_on("project"):
                if grant is not permissions.MAKE_DATASET or self.answers["dataset"].status == 404:
                    yield self._held(what, grant, answer.permissions)

    def _bucket(self, place: Place, bucket: str, objects: str) -> Iterator[Finding]:
        what, tested = f"bucket {bucket}", self.answers[objects]
        if 404 in (self.answers[place].status, tested.status):
            yield Finding(what, "broken", "does not exist", self._create_bucket(bucket))
        elif tested.is_good:
            for grant in self._grants_on(place):
                yield self._held(what, grant, tested.permissions)
        else:
            yield from self._refused(what, tested, self._grants_on(place)[0])

    def _create_bucket(self, bucket: str) -> str:
        project, region = f"--project={self.settings.gcp_project}", f"--location={self.settings.gcp_region}"
        create = ("gcloud", "storage", "buckets", "create", f"gs://{bucket}")
        return as_command(*create, project, region, "--uniform-bucket-level-access")

    def _dataset(self) -> Iterator[Finding]:
        what, answer = f"dataset {self.settings.bigquery_dataset}", self.answers["dataset"]
        if answer.status == 404:
            yield Finding(what, "ok", f"does not exist yet: the first run creates it in {self.settings.gcp_region}")
        else:
            yield from self._refused(what, answer, permissions.TABLES)

    def _tables(self) -> Iterator[Finding]:
        what = f"dataset {self.settings.bigquery_dataset}"
        answer = self._dry_run(ddl.create(CRIMES))
        yield from self._refused(f"{what}: create tables", answer, permissions.TABLES)
        answers = {name: self.google.send(rest.BIGQUERY, self._path_of(name)) for name in TABLES}
        if refused := [answer for answer in answers.values() if answer.status not in (200, 404)]:
            yield from self._refused(f"{what}: get tables", refused[0], permissions.TABLES)
            return
        live = {name: answer for name, answer in answers.items() if answer.is_good}
        if not live:
            yield Finding(f"{what}: tables", "ok", "none yet; to load a year: chicago-crime run --years 2021")
            return
        yield self._may_change(what, live)
        yield from self._differences(live)

    def _may_change(self, what: str, live: dict[str, rest.Answer]) -> Finding:
        to_test = [permission for permission in permissions.TABLES.permissions if permission not in _OF_THE_DATASET]
        path = f"{self._path_of(min(live))}:testIamPermissions"
        held = self.google.send(rest.BIGQUERY, path, {"permissions": to_test}).permissions | _OF_THE_DATASET
        return self._held(what, permissions.TABLES, held)

    def _differences(self, live: dict[str, rest.Answer]) -> Iterator[Finding]:
        """Tables whose columns are not those of this version, with the statement that migrates them."""
        for name, answer in live.items():
            try:
                ddl.require_same_columns(TABLES[name], bigquery.Table.from_api_repr(dict(answer.content)))
            except WarehouseError as error:
                detail, _, rest = str(error).partition(" Migrate it with: ")
                migration = rest.partition("; then load")[0]
                project = f"--project_id={self.settings.gcp_project}"
                dataset = f"--dataset_id={self.settings.bigquery_dataset}"
                fix = as_command("bq", "query", "--use_legacy_sql=false", project, dataset, migration)
                yield Finding(f"table {name}", "broken", detail, fix)

    def _dry_run(self, statement: str) -> rest.Answer:
        project, dataset = self.settings.gcp_project, self.settings.bigquery_dataset
        location = self.answers["dataset"].content.get("location", self.settings.gcp_region)
        query = {
            "query": statement,
            "useLegacySql": False,
            "defaultDataset": {"projectId": project, "datasetId": dataset},
        }
        id_ = f"chicago_crime_doctor_{uuid.uuid4().hex}"
        job = {
            "jobReference": {"projectId": project, "jobId": id_, "location": location},
            "configuration": {"dryRun": True, "query": query},
        }
        return self.google.send(rest.BIGQUERY, f"/bigquery/v2/projects/{project}/jobs", job)

    def _path_of(self, table: str) -> str:
        dataset = f"/bigquery/v2/projects/{self.settings.gcp_project}/datasets/{self.settings.bigquery_dataset}"
        return f"{dataset}/tables/{table}"

    def _region(self) -> Finding:
        """Bucket, dataset and clusters must be in one region: across regions, BigQuery refuses loads or bills them."""
        region = self.settings.gcp_region
        names = [name for name in ("bucket", "staging", "dataset") if name in self.answers]
        found = {name: str(self.answers[name].content.get("location", "")).lower() for name in names}
        found = {name: location for name, location in found.items() if location}
        detail = ", ".join([*(f"{name} in {location}" for name, location in found.items()), f"clusters in {region}"])
        locations = set(found.values())
        if locations <= {region}:
            return Finding("region", "ok", detail)
        if len(locations) == 1 and "-" in min(locations):  # everything is in one region, and the setting names another
            fix = f"export {PREFIX}GCP_REGION={min(locations)}"
        elif wrong := [name for name in ("bucket", "staging") if found.get(name, region) != region]:
            setting = {"bucket": "gcs_bucket", "staging": "gcs_staging_bucket"}[wrong[0]]
            bucket = f"{getattr(self.settings, setting)}-{region}"
            fix = f"{self._create_bucket(bucket)} && export {PREFIX}{setting.upper()}={bucket}"
        else:
            fix = f"export {PREFIX}BIGQUERY_DATASET={self.settings.bigquery_dataset}_{region.replace('-', '_')}"
        return Finding("region", "broken", f"more than one: {detail}", fix)

    def _spark(self) -> Iterator[Finding]:
        settings, answer = self.settings, self.answers["spark"]
        what = f"spark engine dataproc ({settings.dataproc_mode})"
        if answer.status in (200, 404):
            yield Finding(what, "ok", f"answers in {settings.gcp_region}")
        else:
            is_cluster = settings.dataproc_mode == "cluster"
            yield from self._refused(what, answer, permissions.CLUSTERS if is_cluster else permissions.BATCHES)
        if "quotas" in self.answers and self.answers["quotas"].is_good:
            yield from self._processors()
        account = settings.dataproc_service_account
        if account is None:
            detail = f"the project's default; {PREFIX}DATAPROC_SERVICE_ACCOUNT can name one with fewer permissions"
            yield Finding("account of Spark's machines", "ok", detail)
        elif self.answers["account"].status == 404:
            create = ("gcloud", "iam", "service-accounts", "create", account.partition("@")[0])
            fix = as_command(*create, f"--project={settings.gcp_project}")
            yield Finding(f"account {account}", "broken", "does not exist", fix)
        else:
            yield from self._tested(f"account {account}", permissions.ACT_AS, self.answers["account"])

    def _processors(self) -> Iterator[Finding]:
        """Whether the region's quotas leave enough processors for the cluster: new projects often have 8."""
        settings = self.settings
        needed = vcpus(settings.dataproc_machine_type) * (settings.dataproc_workers + 1)
        family = settings.dataproc_machine_type.partition("-")[0].upper()
        for quota in self.answers["quotas"].content.get("quotas", []):
            free = int(quota["limit"] - quota["usage"])
            if quota["metric"] in ("CPUS", f"{family}_CPUS") and free < needed:
                detail = f"the cluster needs {needed} processors, and the quota {quota['metric']} has {free} left"
                page = f"https://console.cloud.google.com/iam-admin/quotas?project={settings.gcp_project}"
                fix = f"export {PREFIX}DATAPROC_WORKERS=0  (one machine), or request more: {page}"
                yield Finding("processors", "warning", detail, fix)
