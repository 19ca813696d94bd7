"""Who may do what: every role that is given, on as little as Google allows.

Here belong the roles of the two accounts; what the platform needs is in `chicago_crime/permissions.py`, and a test
holds one against the other. Roles of people on the machine are in `machine.py`, those of GitHub in `federation.py`.

A role is given by itself (`...Member`) and not as part of a whole policy: what others gave stays as it is.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import artifactregistry, bigquery, projects, secretmanager, serviceaccount, storage

from components.identities import Identities
from components.kaggle_secret import KaggleSecret
from components.lake import Lake
from components.part import Part
from components.registry import Registry
from components.warehouse import Warehouse
from config import Config


class Access(Part):
    """The roles."""

    def __init__(
        self,
        name: str,
        config: Config,
        identities: Identities,
        lake: Lake,
        warehouse: Warehouse,
        kaggle: KaggleSecret,
        registry: Registry,
        after: Sequence[pulumi.Resource],
    ):
        super().__init__(name, after)
        platform, spark = identities.platform.member, identities.spark.member

        # The bucket's.
        for who, member, role in (
            ("platform-objects", platform, "roles/storage.objectUser"),
            ("platform-bucket", platform, "roles/storage.legacyBucketReader"),
            ("spark-objects", spark, "roles/storage.objectUser"),
        ):
            bucket = lake.bucket.name
            storage.BucketIAMMember(f"{name}-{who}", bucket=bucket, role=role, member=member, opts=self.ours())

        # The dataset's. Spark's machines have none: the platform exports and loads for them.
        bigquery.DatasetIamMember(
            f"{name}-platform-tables",
            project=config.project,
            dataset_id=warehouse.dataset.dataset_id,
            role="roles/bigquery.dataEditor",
            member=platform,
            opts=self.ours(),
        )
        secretmanager.SecretIamMember(
            f"{name}-platform-kaggle",
            project=config.project,
            secret_id=kaggle.secret.secret_id,
            role="roles/secretmanager.secretAccessor",
            member=platform,
            opts=self.ours(),
        )
        serviceaccount.IAMMember(
            f"{name}-platform-acts-as-spark",
            service_account_id=identities.spark.name,
            role="roles/iam.serviceAccountUser",
            member=platform,
            opts=self.ours(),
        )
        # Not the platform's own need but the machine's: it gets the image that it runs.
        artifactregistry.RepositoryIamMember(
            f"{name}-machine-image",
            project=config.project,
            location=config.region,
            repository=registry.repository.name,
            role="roles/artifactregistry.reader",
            member=platform,
            opts=self.ours(),
        )

        # The project's, as there is nothing smaller to give them on: jobs of BigQuery belong to a project, clusters and
        # batches do not exist before they are made, and a worker's role is for talking to Dataproc. None is an admin.
        dataproc = "roles/dataproc.editor" if config.dataproc_mode == "cluster" else "roles/dataproc.serverlessEditor"
        for who, member, role in (
            ("platform-jobs", platform, "roles/bigquery.jobUser"),
            ("platform-dataproc", platform, dataproc),
            ("spark-worker", spark, "roles/dataproc.worker"),
        ):
            projects.IAMMember(f"{name}-{who}", project=config.project, role=role, member=member, opts=self.ours())
        self.register_outputs({})
