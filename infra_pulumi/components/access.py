"""The two service accounts and their roles, each on the smallest resource that Google allows.

A test compares them with the list of what the platform needs, `chicago_crime/storage/google/permissions.py`. Operators'
roles are in `machine.py`, those of GitHub workflows in `ci.py`.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import artifactregistry, bigquery, projects, secretmanager, serviceaccount, storage

from components.ci import Registry
from components.data import Lake, Site, StoredSecret, Warehouse
from components.part import Part
from config import Config


class Identities(Part):
    """The service accounts. Neither has a key: Google provides credentials to the machines that run as them.

    Attributes:
        platform: the account of the machine that runs Dagster and the dashboard.
        spark: the account of Dataproc's machines.
    """

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, config, after)
        self.platform = self._account("vm", f"Chicago crime ({config.stack})", "The machine of Dagster and dashboard")
        self.spark = self._account("spark", f"Chicago crime Spark ({config.stack})", "The machines that run Spark")
        self.register_outputs({})

    def _account(self, what: str, title: str, description: str) -> serviceaccount.Account:
        return serviceaccount.Account(
            f"{self.name}-{what}",
            account_id=self.config.named(what),
            display_name=title,
            description=description,
            opts=self.options(),
        )


class Access(Part):
    """The roles. Each is added to existing grants (`...Member`) and never replaces a policy."""

    def __init__(
        self,
        name: str,
        config: Config,
        identities: Identities,
        lake: Lake,
        site: Site,
        warehouse: Warehouse,
        secrets: Sequence[StoredSecret],
        registry: Registry,
        after: Sequence[pulumi.Resource],
    ):
        super().__init__(name, config, after)
        platform, spark = identities.platform.member, identities.spark.member
        for suffix, bucket, member, role in (
            ("platform-objects", lake.bucket.name, platform, "roles/storage.objectUser"),
            ("platform-bucket", lake.bucket.name, platform, "roles/storage.legacyBucketReader"),
            ("platform-staged", lake.staging.name, platform, "roles/storage.objectUser"),
            ("platform-staging", lake.staging.name, platform, "roles/storage.legacyBucketReader"),
            ("platform-site", site.bucket.name, platform, "roles/storage.objectUser"),
            ("spark-objects", lake.staging.name, spark, "roles/storage.objectUser"),
        ):
            storage.BucketIAMMember(f"{name}-{suffix}", bucket=bucket, role=role, member=member, opts=self.options())

        # Spark's account has no role on the dataset: the platform exports and loads its data.
        bigquery.DatasetIamMember(
            f"{name}-platform-tables",
            dataset_id=warehouse.dataset.dataset_id,
            role="roles/bigquery.dataEditor",
            member=platform,
            opts=self.options(),
        )
        for secret in secrets:
            secretmanager.SecretIamMember(
                f"{name}-platform-{secret.name}",
                secret_id=secret.secret.secret_id,
                role="roles/secretmanager.secretAccessor",
                member=platform,
                opts=self.options(),
            )
        serviceaccount.IAMMember(
            f"{name}-platform-acts-as-spark",
            service_account_id=identities.spark.name,
            role="roles/iam.serviceAccountUser",
            member=platform,
            opts=self.options(),
        )
        # For the machine, which pulls its image; the platform itself does not need it.
        artifactregistry.RepositoryIamMember(
            f"{name}-machine-image",
            location=config.region,
            repository=registry.repository.name,
            role="roles/artifactregistry.reader",
            member=platform,
            opts=self.options(),
        )

        # BigQuery jobs belong to the project, clusters and batches do not exist yet, and workers connect to Dataproc's
        # control plane: these three roles cannot be granted on anything smaller.
        dataproc = "roles/dataproc.editor" if config.dataproc_mode == "cluster" else "roles/dataproc.serverlessEditor"
        for suffix, member, role in (
            ("platform-jobs", platform, "roles/bigquery.jobUser"),
            ("platform-dataproc", platform, dataproc),
            ("spark-worker", spark, "roles/dataproc.worker"),
        ):
            projects.IAMMember(
                f"{name}-{suffix}", project=config.project, role=role, member=member, opts=self.options()
            )
        self.register_outputs({})
