"""What the platform may do on Google Cloud: each permission, the least role that holds it, and why it is needed.

Here belongs this one table, and the command that gives a role. Whether a permission is held is asked by
`doctor_gcp.py`; the README's table says the same, and what sets a project up follows it too.
"""

import shlex
from dataclasses import dataclass
from typing import Literal

from chicago_crime.settings import Settings

Place = Literal["project", "bucket", "dataset", "account", "secret"]


@dataclass(frozen=True)
class Grant:
    """A role that an account needs.

    Attributes:
        role: the least of Google's roles that holds the permissions.
        on: what the role is given on: the project, the bucket, the dataset, the clusters' account or Kaggle's secret.
        permissions: those of the role's that the platform uses.
        reason: what for.
        to: whether the platform's own account needs it, or that of the machines that Spark runs on.
        tried: whether the doctor can try it: only what is the platform's own.
    """

    role: str
    on: Place
    permissions: tuple[str, ...]
    reason: str
    to: Literal["platform", "machines"] = "platform"

    @property
    def tried(self) -> bool:
        """Whether the doctor can try it: nobody can ask what another account may do."""
        return self.to == "platform"


def _all(prefix: str, *verbs: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{verb}" for verb in verbs)


OBJECTS = Grant(
    "roles/storage.objectUser",
    "bucket",
    _all("storage.objects", "create", "delete", "get", "list"),
    "store each year's object, stage the Spark job's files, and remove them",
)
LOOK_AT_BUCKET = Grant(
    "roles/storage.legacyBucketReader",
    "bucket",
    ("storage.buckets.get",),
    "for doctor, to see that the bucket is in the region of the rest; a run does without",
)
JOBS = Grant("roles/bigquery.jobUser", "project", ("bigquery.jobs.create",), "load, compute, export and ask")
MAKE_DATASET = Grant(
    "roles/bigquery.user",
    "project",
    ("bigquery.datasets.create",),
    "only until the dataset is there: the first run makes it, and its maker owns it",
)
TABLES = Grant(
    "roles/bigquery.dataEditor",
    "dataset",
    (
        "bigquery.datasets.get",
        *_all("bigquery.tables", "create", "export", "get", "getData", "list", "update", "updateData"),
    ),
    "create the tables, replace years in them, read them and export them for Spark",
)
CLUSTERS = Grant(
    "roles/dataproc.editor",
    "project",
    (
        *_all("dataproc.clusters", "create", "delete", "get", "use"),
        *_all("dataproc.jobs", "cancel", "create", "get"),
    ),
    "create the cluster that the Spark job runs on, give it the job, delete it",
)
BATCHES = Grant(
    "roles/dataproc.editor",
    "project",
    (*_all("dataproc.batches", "cancel", "create", "get"), "dataproc.operations.cancel"),
    "start the Spark job as a batch, follow it, cancel it",
)
ACT_AS = Grant(
    "roles/iam.serviceAccountUser",
    "account",
    ("iam.serviceAccounts.actAs",),
    "have Spark's machines work under their own account",
)
SECRET = Grant(
    "roles/secretmanager.secretAccessor",
    "secret",
    ("secretmanager.versions.access",),
    "read Kaggle's API token",
)
MACHINES = (
    Grant("roles/dataproc.worker", "project", (), "run as a machine of Dataproc", to="machines"),
    Grant("roles/storage.objectUser", "bucket", (), "read what is exported, write what is made of it", to="machines"),
)
EVERY_GRANT = (
    OBJECTS,
    LOOK_AT_BUCKET,
    JOBS,
    MAKE_DATASET,
    TABLES,
    CLUSTERS,
    BATCHES,
    ACT_AS,
    SECRET,
    *MACHINES,
)
"""Everything that any installation on Google Cloud may need; no installation needs all of it."""


def grants_for(settings: Settings) -> list[Grant]:
    """The roles that one installation needs, with its settings."""
    needed = [OBJECTS, LOOK_AT_BUCKET, JOBS, MAKE_DATASET, TABLES]
    needed.append(CLUSTERS if settings.dataproc_mode == "cluster" else BATCHES)
    if settings.dataproc_service_account:
        needed.append(ACT_AS)
    if settings.kaggle_secret:
        needed.append(SECRET)
    return [*needed, *MACHINES]


def granting(grant: Grant, settings: Settings, member: str) -> str:
    """The command that gives a role, to be typed by whoever owns the project.

    Args:
        grant: the role, and on what.
        settings: of the installation.
        member: who gets it, as Google writes it: serviceAccount:..., user:...
    """
    project = settings.gcp_project or ""
    if grant.on == "dataset":
        statement = f'GRANT `{grant.role}` ON SCHEMA `{project}.{settings.bigquery_dataset}` TO "{member}"'
        return as_command("bq", "query", "--use_legacy_sql=false", f"--project_id={project}", statement)
    _, of_project, _, secret = (settings.kaggle_secret or "///").split("/")[:4]
    whom = {
        "project": ("projects", "add-iam-policy-binding", project, "--condition=None"),
        "bucket": ("storage", "buckets", "add-iam-policy-binding", f"gs://{settings.gcs_bucket}"),
        "account": (
            *("iam", "service-accounts", "add-iam-policy-binding"),
            settings.dataproc_service_account or "",
            f"--project={project}",
        ),
        "secret": ("secrets", "add-iam-policy-binding", secret, f"--project={of_project}"),
    }[grant.on]
    return as_command("gcloud", *whom, f"--member={member}", f"--role={grant.role}")


def as_command(*words: str) -> str:
    """Words as a shell takes them; what stands in `$(...)` it shall fill in by itself."""
    return " ".join(_in_double_quotes(word) if "$(" in word else shlex.quote(word) for word in words)


def _in_double_quotes(word: str) -> str:
    return '"' + word.replace("`", "\\`").replace('"', '\\"') + '"'
