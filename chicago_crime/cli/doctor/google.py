"""What the doctor looks at on Google Cloud: libraries, sign-in, APIs, permissions, Spark's account, Kaggle's secret.

Here belongs trying each thing that a run will need, without changing anything, and the one command that mends what is
missing. Which permissions those are is in `permissions.py`; bucket and places are looked at in `doctor_places.py`, the
tables in `doctor_tables.py`.
"""

import importlib.metadata
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chicago_crime.cli.doctor.examine import Finding
from chicago_crime.errors import PlatformError
from chicago_crime.settings import PREFIX, Settings
from chicago_crime.storage.google import permissions as may
from chicago_crime.storage.google.permissions import Grant, as_command, granting, grants_for

if TYPE_CHECKING:
    from chicago_crime.storage.google.rest import Answer, GoogleRest

LIBRARIES = (
    "dagster-gcp",
    "google-auth",
    "google-cloud-bigquery",
    "google-cloud-dataproc",
    "google-cloud-secret-manager",
    "google-cloud-storage",
)


def examine_cloud(settings: Settings) -> Iterator[Finding]:
    """Look at everything that the platform needs on Google Cloud; what rests on something broken is left out."""
    libraries = _libraries()
    yield libraries
    if libraries.state == "broken":
        return
    from chicago_crime.storage.google.rest import GoogleRest

    rest = GoogleRest(settings)
    try:
        rest.sign_in()
        looks = Looks(settings, rest)
    except PlatformError as error:
        yield Finding("credentials", "broken", str(error), _signing_in(settings))
        return
    yield Finding("credentials", "ok", looks.who)
    yield from looks.findings()


def _libraries() -> Finding:
    versions = {}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            return Finding("google libraries", "broken", f"{name} is missing", "pip install 'chicago-crime[gcp]'")
    return Finding("google libraries", "ok", ", ".join(f"{name} {version}" for name, version in versions.items()))


def _signing_in(settings: Settings) -> str:
    """The command that brings credentials that do."""
    file = settings.gcp_credentials
    if file is None:
        return "gcloud auth application-default login"
    try:
        email = str(json.loads(file.read_text())["client_email"])
    except (OSError, ValueError, KeyError, TypeError):
        email = f"...@{settings.gcp_project}.iam.gserviceaccount.com"
    return as_command("gcloud", "iam", "service-accounts", "keys", "create", str(file), f"--iam-account={email}")


class Looks:
    """All that is looked at with one sign-in: every service is asked once, then its answers are judged.

    Attributes:
        settings: of the installation.
        rest: how Google is asked.
        member: who we are.
        answers: by what was asked.
    """

    def __init__(self, settings: Settings, rest: "GoogleRest"):
        self.settings, self.rest, self.member = settings, rest, rest.member
        self.answers: dict[str, Answer] = {}
        self.services: dict[str, str] = {}

    @property
    def who(self) -> str:
        """Who we are, for a person."""
        if self.rest.credentials is None:
            return "none: the emulators let in everybody"
        return "of a person, from gcloud" if "$(" in self.member else self.member

    @property
    def location(self) -> str:
        """Where the dataset is: its jobs must be there, too."""
        return str(self.answers["dataset"].content.get("location", self.settings.gcp_region))

    def findings(self) -> Iterator[Finding]:
        """Ask, then judge."""
        from chicago_crime.cli.doctor.places import look_at_bucket, look_at_places
        from chicago_crime.cli.doctor.tables import look_at_tables

        self._ask()
        yield from self._apis()
        yield from self._project()
        yield from look_at_bucket(self)
        yield from self._dataset()
        if self.answers["dataset"].is_good:
            yield from look_at_tables(self)
        yield from look_at_places(self)
        yield from self._spark()
        if "secret" in self.answers:
            # Of a secret that there is not, Google says that nothing is held.
            what = f"secret {self.settings.kaggle_secret} (if there is one)"
            yield from self._tested(what, may.SECRET, self.answers["secret"])

    def judged(self, what: str, answer: "Answer", grant: Grant) -> Iterator[Finding]:
        """What a refusal means: nothing new if the API is off, a missing role if it is one of permissions."""
        if answer.is_good or answer.is_off:
            return
        fix = "chicago-crime doctor  (again, later)"
        if answer.status == 401:
            fix = _signing_in(self.settings)
        elif answer.status in (400, 403, 404):
            fix = granting(grant, self.settings, self.member)
        yield Finding(what, "broken", answer.message or f"HTTP status {answer.status}", fix)

    def held(self, what: str, grant: Grant, held: set[str]) -> Finding:
        """Whether all of a role's permissions that the platform uses are held."""
        what = f"{what}: {grant.role.removeprefix('roles/')}"
        if lacking := [permission for permission in grant.permissions if permission not in held]:
            detail = f"not allowed: {', '.join(lacking)} (needed to {grant.reason})"
            return Finding(what, "broken", detail, granting(grant, self.settings, self.member))
        return Finding(what, "ok", f"may {', '.join(p.partition('.')[2] for p in grant.permissions)}")

    def _ask(self) -> None:
        from chicago_crime.storage.google import rest as google

        settings = self.settings
        project, region, bucket = settings.gcp_project, settings.gcp_region, settings.gcs_bucket
        wanted = [p for grant in self._tried_on("project") for p in grant.permissions]
        is_cluster = settings.dataproc_mode == "cluster"
        place = f"regions/{region}/clusters" if is_cluster else f"locations/{region}/batches"
        self._note("project", google.PROJECTS, f"/v3/projects/{project}:testIamPermissions", {"permissions": wanted})
        self._note("bucket", google.STORAGE, f"/storage/v1/b/{bucket}")
        on_bucket = [p for grant in self._tried_on("bucket") for p in grant.permissions]
        path = f"/storage/v1/b/{bucket}/iam/testPermissions"
        self._note("objects", google.STORAGE, path, query={"permissions": on_bucket})
        self._note("dataset", google.BIGQUERY, f"/bigquery/v2/projects/{project}/datasets/{settings.bigquery_dataset}")
        # One that there is not: whether Dataproc answers so is all that is of interest.
        self._note("spark", google.DATAPROC, f"/v1/projects/{project}/{place}/looked-for-by-doctor")
        if account := settings.dataproc_service_account:
            path = f"/v1/projects/-/serviceAccounts/{account}:testIamPermissions"
            self._note("account", google.ACCOUNTS, path, {"permissions": list(may.ACT_AS.permissions)})
        if settings.kaggle_secret:
            path = f"/v1/{'/'.join(settings.kaggle_secret.split('/')[:4])}:testIamPermissions"
            self._note("secret", google.SECRETS, path, {"permissions": list(may.SECRET.permissions)})

    def _note(self, what: str, service: str, path: str, body: object = None, query: dict | None = None) -> None:
        self.answers[what], self.services[what] = self.rest.ask(service, path, body, query), service

    def _tried_on(self, place: str) -> list[Grant]:
        return [grant for grant in grants_for(self.settings) if grant.on == place and grant.tried]

    def _apis(self) -> Iterator[Finding]:
        off = {self.services[what]: what for what, answer in self.answers.items() if answer.is_off}
        for service, what in off.items():
            fix = as_command("gcloud", "services", "enable", service, f"--project={self.settings.gcp_project}")
            if what in ("project", "account"):  # a run does not ask these services, only this does
                yield Finding(f"API {service}", "warning", "not switched on: permissions cannot be looked at", fix)
            else:
                yield Finding(f"API {service}", "broken", "not switched on", fix)
        answering = {self.services[what].partition(".")[0] for what, answer in self.answers.items() if answer.status}
        on = sorted(answering - {service.partition(".")[0] for service in off})
        if on:
            yield Finding("APIs", "ok", ", ".join(on))

    def _project(self) -> Iterator[Finding]:
        what, answer = f"project {self.settings.gcp_project}", self.answers["project"]
        if answer.status in (400, 403, 404) and not answer.is_off:
            fix = f"export {PREFIX}GCP_PROJECT=...  (one of `gcloud projects list`)"
            yield Finding(what, "broken", answer.message, fix)
        elif not answer.is_good:
            yield from self.judged(what, answer, may.JOBS)
        else:
            for grant in self._tried_on("project"):
                if grant is not may.MAKE_DATASET or self.answers["dataset"].status == 404:
                    yield self.held(what, grant, answer.permissions)

    def _dataset(self) -> Iterator[Finding]:
        what, answer = f"dataset {self.settings.bigquery_dataset}", self.answers["dataset"]
        if answer.status == 404:
            yield Finding(what, "ok", f"not there yet: the first run makes it, in {self.settings.gcp_region}")
        else:
            yield from self.judged(what, answer, may.TABLES)

    def _spark(self) -> Iterator[Finding]:
        settings, answer = self.settings, self.answers["spark"]
        what = f"spark engine dataproc ({settings.dataproc_mode})"
        grant = may.CLUSTERS if settings.dataproc_mode == "cluster" else may.BATCHES
        if answer.status in (200, 404):
            yield Finding(what, "ok", f"answers in {settings.gcp_region}")
        else:
            yield from self.judged(what, answer, grant)
        account = settings.dataproc_service_account
        if account is None:
            detail = f"the default one of the project's machines; {PREFIX}DATAPROC_SERVICE_ACCOUNT names a lesser one"
            yield Finding("account of Spark's machines", "ok", detail)
        elif self.answers["account"].status == 404:
            create = ("gcloud", "iam", "service-accounts", "create", account.partition("@")[0])
            fix = as_command(*create, f"--project={settings.gcp_project}")
            yield Finding(f"account {account}", "broken", "there is none", fix)
        else:
            yield from self._tested(f"account {account}", may.ACT_AS, self.answers["account"])

    def _tested(self, what: str, grant: Grant, answer: "Answer") -> Iterator[Finding]:
        if answer.is_good:
            yield self.held(what, grant, answer.permissions)
        else:
            yield from self.judged(what, answer, grant)
