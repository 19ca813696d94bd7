"""The doctor's checks of Google Cloud, all read-only: credentials, APIs, permissions, regions and quotas.

The permissions are listed in `permissions.py`.
"""

from collections.abc import Iterator, Mapping

from chicago_crime.cli.doctor import Finding
from chicago_crime.errors import HOW_TO_LOAD, PlatformError
from chicago_crime.installation import Installation
from chicago_crime.settings import PREFIX, Settings
from chicago_crime.storage.google import permissions, rest
from chicago_crime.storage.google.access import HOW_TO_SIGN_IN
from chicago_crime.storage.google.permissions import Grant, Place, as_command, grant_command, grants_for
from chicago_crime.storage.google.prices import BATCH_VCPUS, vcpus
from chicago_crime.tables import CRIMES

_DATASET_ONLY = {"bigquery.datasets.get", "bigquery.tables.create", "bigquery.tables.list"}
"""Permissions on a dataset, which cannot be tested on its tables."""


def examine_google(installation: Installation) -> Iterator[Finding]:
    """Check everything the platform needs on Google Cloud, skipping checks that depend on a broken one."""
    settings = installation.settings
    try:
        google = rest.GoogleRest(settings)
        google.sign_in()
    except PlatformError as error:
        yield Finding("credentials", "broken", str(error), _sign_in_command(settings))
        return
    who = "your own, from gcloud" if google.member == rest.A_PERSON else google.member
    yield Finding("credentials", "ok", who if google.credentials.token else "none: all services are emulators")
    yield from Probe(settings, google).findings()


def _sign_in_command(settings: Settings) -> str:
    """Return the command that provides working credentials."""
    if settings.gcp_credentials:
        return HOW_TO_SIGN_IN
    login = as_command("gcloud", "auth", "application-default", "login")
    quota = as_command("gcloud", "auth", "application-default", "set-quota-project", settings.gcp_project or "")
    return f"{login} && {quota}"


class Probe:
    """All checks with one sign-in: sends the requests to all services first, then evaluates the responses.

    Attributes:
        settings: of the installation.
        google: sends requests.
        member: the signed-in account, as in Google's IAM policies.
        answers: response to each request; permission tests are named after the resource they test.
    """

    def __init__(self, settings: Settings, google: rest.GoogleRest):
        self.settings, self.google, self.member = settings, google, google.member
        self.answers: dict[str, rest.Response] = {}

    def findings(self) -> Iterator[Finding]:
        """Send the requests, then evaluate the responses."""
        self._send_requests()
        settings, project = self.settings, f"--project={self.settings.gcp_project}"
        yield from self._apis()
        another = f"export {PREFIX}GCP_PROJECT=...  (one of `gcloud projects list`)"
        yield from self._permissions(
            "project", f"project {settings.gcp_project}", dict.fromkeys((400, 403, 404), another)
        )
        for place, bucket in self._buckets().items():
            create = ("gcloud", "storage", "buckets", "create", f"gs://{bucket}", project)
            options = ("--uniform-bucket-level-access", *(["--soft-delete-duration=0"] if place != "bucket" else []))
            fix = as_command(*create, f"--location={settings.gcp_region}", *options)
            yield from self._permissions(place, f"bucket {bucket}", {404: fix})
        yield from self._dataset()
        yield self._region()
        what, answer = f"spark engine dataproc ({settings.dataproc_mode})", self.answers["spark"]
        if answer.status in (200, 404):
            yield Finding(what, "ok", f"responds in {settings.gcp_region}")
        else:
            is_cluster = settings.dataproc_mode == "cluster"
            yield from self._refused(what, answer, permissions.CLUSTERS if is_cluster else permissions.BATCHES)
        yield from self._processors()
        if account := settings.dataproc_service_account:
            create_it = ("gcloud", "iam", "service-accounts", "create", account.partition("@")[0])
            yield from self._permissions("account", f"account {account}", {404: as_command(*create_it, project)})
        if settings.kaggle_secret:
            # Google's response to a missing secret is the same as to missing permissions.
            yield from self._permissions("secret", f"secret {settings.kaggle_secret} (if it exists)")

    def _send_requests(self) -> None:
        settings, send, answers = self.settings, self.google.send, self.answers
        project, region = settings.gcp_project, settings.gcp_region
        answers["project"] = send(rest.PROJECTS, f"/v3/projects/{project}:testIamPermissions", self._to_test("project"))
        for place, bucket in self._buckets().items():
            path = f"/storage/v1/b/{bucket}"
            answers[f"{place} itself"] = send(rest.STORAGE, path)
            answers[place] = send(rest.STORAGE, f"{path}/iam/testPermissions", query=self._to_test(place))
        dataset = f"/bigquery/v2/projects/{project}/datasets/{settings.bigquery_dataset}"
        answers["dataset itself"] = send(rest.BIGQUERY, dataset)
        if answers["dataset itself"].status == 200:
            on_a_table = [one for one in permissions.TABLES.permissions if one not in _DATASET_ONLY]
            path = f"{dataset}/tables/{CRIMES.name}:testIamPermissions"
            answers["dataset"] = send(rest.BIGQUERY, path, {"permissions": on_a_table})
        # This cluster or batch does not exist: a 404 proves that Dataproc responds and that we have access.
        is_cluster = settings.dataproc_mode == "cluster"
        where = f"regions/{region}/clusters" if is_cluster else f"locations/{region}/batches"
        answers["spark"] = send(rest.DATAPROC, f"/v1/projects/{project}/{where}/requested-by-doctor")
        for name, path in (("quotas of the region", f"/regions/{region}"), ("quotas of the project", "")):
            answers[name] = send(rest.COMPUTE, f"/compute/v1/projects/{project}{path}")
        if account := settings.dataproc_service_account:
            path = f"/v1/projects/-/serviceAccounts/{account}:testIamPermissions"
            answers["account"] = send(rest.ACCOUNTS, path, self._to_test("account"))
        if settings.kaggle_secret:
            path = f"/v1/{'/'.join(settings.kaggle_secret.split('/')[:4])}:testIamPermissions"
            answers["secret"] = send(rest.SECRETS, path, self._to_test("secret"))

    def _buckets(self) -> dict[Place, str]:
        settings = self.settings
        buckets: dict[Place, str | None] = {
            "bucket": settings.gcs_bucket,
            "staging": settings.gcs_staging_bucket,
            "site": settings.gcs_site_bucket,
        }
        return {place: bucket for place, bucket in buckets.items() if bucket}

    def _to_test(self, place: Place) -> dict[str, list[str]]:
        return {"permissions": [each for grant in self._grants_on(place) for each in grant.permissions]}

    def _grants_on(self, place: Place) -> list[Grant]:
        return [grant for grant in grants_for(self.settings) if grant.on == place and grant.to == "platform"]

    def _permissions(self, place: Place, what: str, fixes: Mapping[int, str] = {}) -> Iterator[Finding]:
        """Check the permissions on a resource; `fixes` maps HTTP statuses to what to do about them."""
        answer = self.answers[place]
        if answer.status in fixes and not answer.is_off:
            yield Finding(what, "broken", answer.message, fixes[answer.status])
        elif answer.status != 200:
            yield from self._refused(what, answer, self._grants_on(place)[0])
        else:
            is_made = self.answers["dataset itself"].status != 404
            held = set(answer.content.get("permissions", [])) | (_DATASET_ONLY if place == "dataset" else set())
            for grant in self._grants_on(place):
                if not (grant is permissions.MAKE_DATASET and is_made):
                    yield self._held(what, grant, held)

    def _held(self, what: str, grant: Grant, held: set[str]) -> Finding:
        """Check the permissions of a role that the platform uses."""
        what = f"{what}: {grant.role.removeprefix('roles/')}"
        if missing := [permission for permission in grant.permissions if permission not in held]:
            detail = f"missing permission: {', '.join(missing)} (needed to {grant.reason})"
            return Finding(what, "broken", detail, grant_command(grant, self.settings, self.member))
        return Finding(what, "ok", f"granted: {', '.join(p.partition('.')[2] for p in grant.permissions)}")

    def _refused(self, what: str, answer: rest.Response, grant: Grant) -> Iterator[Finding]:
        """Report an error response, unless its API is off, which `_apis` reports."""
        if answer.is_off:
            return
        fix = "try again later: chicago-crime doctor"
        if answer.status == 401:
            fix = _sign_in_command(self.settings)
        elif answer.status in (400, 403, 404):
            fix = grant_command(grant, self.settings, self.member)
        yield Finding(what, "broken", answer.message, fix)

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

    def _dataset(self) -> Iterator[Finding]:
        what, itself = f"dataset {self.settings.bigquery_dataset}", self.answers["dataset itself"]
        limits = [int(itself.content.get(f"default{kind}ExpirationMs", 0)) for kind in ("Table", "Partition")]
        if days := [limit // 86_400_000 for limit in limits if limit]:
            never = ("--default_table_expiration=0", "--default_partition_expiration=0")
            fix = as_command("bq", "update", *never, f"{self.settings.gcp_project}:{self.settings.bigquery_dataset}")
            detail = f"rows of new tables expire after {min(days)} days, rows of earlier years immediately"
            yield Finding(f"{what}: expiration", "broken", detail, f"{fix}  (existing tables keep their expiration)")
        if itself.status == 404:
            yield Finding(what, "ok", f"does not exist yet: the first run creates it in {self.settings.gcp_region}")
        elif itself.status != 200:
            yield from self._refused(what, itself, permissions.TABLES)
        elif self.answers["dataset"].status == 404:
            yield Finding(f"{what}: tables", "ok", f"none yet. {HOW_TO_LOAD}")
        else:
            yield from self._permissions("dataset", what)

    def _region(self) -> Finding:
        """Check that everything is in one region: across regions, BigQuery refuses loads or charges for them."""
        region, found = self.settings.gcp_region, dict[str, str]()
        for name in ("bucket", "staging", "dataset"):
            answer = self.answers.get(f"{name} itself")
            if answer and "location" in answer.content:
                found[name] = str(answer.content["location"]).lower()
        detail = ", ".join([*(f"{name} in {location}" for name, location in found.items()), f"clusters in {region}"])
        if {*found.values()} <= {region}:
            return Finding("region", "ok", detail)
        others = ", ".join(PREFIX + name for name in ("GCS_BUCKET", "GCS_STAGING_BUCKET", "BIGQUERY_DATASET"))
        fix = f"export {PREFIX}GCP_REGION=...  (the region they share), or use resources in that region: {others}"
        return Finding("region", "broken", f"more than one: {detail}", fix)

    def _processors(self) -> Iterator[Finding]:
        """Check that the quotas leave enough processors: in new projects, they are often 8 or 12."""
        settings, metrics = self.settings, {"CPUS", "CPUS_ALL_REGIONS"}
        what, needed, fix = "a batch", BATCH_VCPUS, ""
        if settings.dataproc_mode == "cluster":
            what, needed = "the cluster", vcpus(settings.dataproc_machine_type) * (settings.dataproc_workers + 1)
            metrics.add(f"{settings.dataproc_machine_type.partition('-')[0].upper()}_CPUS")
            fix = f"export {PREFIX}DATAPROC_WORKERS=0  (one machine), or "
        fix += f"request more: https://console.cloud.google.com/iam-admin/quotas?project={settings.gcp_project}"
        answers = [self.answers[f"quotas of the {place}"].content for place in ("region", "project")]
        quotas = [quota for answer in answers for quota in answer.get("quotas", []) if quota["metric"] in metrics]
        left = {quota["metric"]: int(quota["limit"] - quota["usage"]) for quota in quotas}
        if few := [f"{free} in {metric}" for metric, free in left.items() if free < needed]:
            detail = f"{what} needs {needed} processors, but the quotas leave {' and '.join(few)}"
            yield Finding("processors", "warning", detail, fix)
