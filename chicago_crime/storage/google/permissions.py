"""The permissions that the platform needs on Google Cloud, each with the smallest role that includes it and the reason.

The doctor tests them, and tests compare them with the documentation and the Pulumi program. For Dataproc's roles, see
https://cloud.google.com/iam/docs/roles-permissions/dataproc, read on 2026-11-27.
"""

import shlex
from dataclasses import dataclass
from typing import Literal

from chicago_crime.settings import Settings

Place = Literal["project", "bucket", "staging", "site", "dataset", "account", "secret"]


@dataclass(frozen=True)
class Grant:
    """A role that an account needs.

    Attributes:
        role: the smallest of Google's roles that includes the permissions.
        on: what the role is granted on: the project, one of the buckets, the dataset, the clusters' account or
            Kaggle's secret.
        permissions: the role's permissions that the platform uses.
        reason: what the platform uses them for.
        to: the account that needs it: the platform's own, or the account of Spark's machines, which the doctor cannot
            test, because Google reports only the permissions of the caller.
    """

    role: str
    on: Place
    permissions: tuple[str, ...]
    reason: str
    to: Literal["platform", "machines"] = "platform"


def _all(prefix: str, *verbs: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{verb}" for verb in verbs)


OBJECTS = Grant(
    "roles/storage.objectUser",
    "bucket",
    _all("storage.objects", "create", "delete", "get", "list"),
    "store each year's object and the published snapshots, and remove old ones",
)
BUCKET = Grant(
    "roles/storage.legacyBucketReader",
    "bucket",
    ("storage.buckets.get",),
    "load from the bucket into BigQuery; `doctor` also compares its region",
)
STAGING_OBJECTS = Grant(OBJECTS.role, "staging", OBJECTS.permissions, "stage the Spark job's files and remove them")
STAGING_BUCKET = Grant(
    BUCKET.role, "staging", BUCKET.permissions, "load from the bucket into BigQuery and export to it"
)
SITE = Grant(OBJECTS.role, "site", OBJECTS.permissions, "upload the static site and remove old pages")
JOBS = Grant("roles/bigquery.jobUser", "project", ("bigquery.jobs.create",), "run load, query and export jobs")
MAKE_DATASET = Grant(
    "roles/bigquery.user",
    "project",
    ("bigquery.datasets.create",),
    "create the dataset in the first run and own it; not needed once the dataset exists",
)
TABLES = Grant(
    "roles/bigquery.dataEditor",
    "dataset",
    (
        "bigquery.datasets.get",
        *_all("bigquery.tables", "create", "delete", "export", "get", "getData", "list", "update", "updateData"),
    ),
    "create the tables, replace years in them, query them and export them for Spark",
)
CLUSTERS = Grant(
    "roles/dataproc.editor",
    "project",
    (
        *_all("dataproc.clusters", "create", "delete", "get", "use"),
        *_all("dataproc.jobs", "create", "get"),
    ),
    "create the cluster of the Spark job, submit the job, delete the cluster",
)
BATCHES = Grant(
    "roles/dataproc.serverlessEditor",
    "project",
    (*_all("dataproc.batches", "cancel", "create", "get"), "dataproc.operations.cancel"),
    "run, monitor and cancel the Spark job as a batch; replaces the role for clusters",
)
ACT_AS = Grant(
    "roles/iam.serviceAccountUser",
    "account",
    ("iam.serviceAccounts.actAs",),
    "run Spark's machines as their own account",
)
SECRET = Grant(
    "roles/secretmanager.secretAccessor",
    "secret",
    ("secretmanager.versions.access",),
    "read Kaggle's API token",
)
MACHINES = (
    Grant("roles/dataproc.worker", "project", (), "run as a Dataproc machine", to="machines"),
    Grant("roles/storage.objectUser", "staging", (), "read BigQuery's exports and write Spark's tables", to="machines"),
)
EVERY_GRANT = (*(grant for grant in vars().values() if isinstance(grant, Grant)), *MACHINES)
"""Every role that an installation on Google Cloud may need; no installation needs all of them."""


def grants_for(settings: Settings) -> list[Grant]:
    """Return the roles that an installation with these settings needs."""
    needed = [OBJECTS, BUCKET, JOBS, MAKE_DATASET, TABLES]
    if settings.gcs_staging_bucket:
        needed += [STAGING_OBJECTS, STAGING_BUCKET]
    if settings.gcs_site_bucket:
        needed.append(SITE)
    needed.append(CLUSTERS if settings.dataproc_mode == "cluster" else BATCHES)
    if settings.dataproc_service_account:
        needed.append(ACT_AS)
    if settings.kaggle_secret:
        needed.append(SECRET)
    return [*needed, *MACHINES]


def grant_command(grant: Grant, settings: Settings, member: str) -> str:
    """Return the command with which an owner of the project grants a role to a member, such as serviceAccount:..."""
    project = settings.gcp_project or ""
    if grant.on == "dataset":
        statement = f'GRANT `{grant.role}` ON SCHEMA `{project}.{settings.bigquery_dataset}` TO "{member}"'
        return as_command("bq", "query", "--use_legacy_sql=false", f"--project_id={project}", statement)
    _, of_project, _, secret = (settings.kaggle_secret or "///").split("/")[:4]
    target = {
        "project": ("projects", "add-iam-policy-binding", project, "--condition=None"),
        "bucket": ("storage", "buckets", "add-iam-policy-binding", f"gs://{settings.gcs_bucket}"),
        "staging": ("storage", "buckets", "add-iam-policy-binding", f"gs://{settings.staging_bucket}"),
        "site": ("storage", "buckets", "add-iam-policy-binding", f"gs://{settings.gcs_site_bucket}"),
        "account": (
            *("iam", "service-accounts", "add-iam-policy-binding"),
            settings.dataproc_service_account or "",
            f"--project={project}",
        ),
        "secret": ("secrets", "add-iam-policy-binding", secret, f"--project={of_project}"),
    }[grant.on]
    return as_command("gcloud", *target, f"--member={member}", f"--role={grant.role}")


def as_command(*words: str) -> str:
    """Join words into a shell command; words with `$(...)` are quoted so that the shell still expands it."""
    return " ".join(_in_double_quotes(word) if "$(" in word else shlex.quote(word) for word in words)


def _in_double_quotes(word: str) -> str:
    return '"' + word.replace("`", "\\`").replace('"', '\\"') + '"'
