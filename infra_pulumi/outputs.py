"""What the stack tells: the platform's settings, under the names of their environment variables, and a few addresses.

Here belongs which settings the infrastructure decides; all others have their defaults in `chicago_crime/settings.py`.
How outputs become a file is in `env_file.py`.
"""

import pulumi

from components.federation import Federation
from components.identities import Identities
from components.kaggle_secret import KaggleSecret
from components.lake import Lake
from components.machine import Machine
from components.network import Network
from components.registry import Registry
from components.warehouse import Warehouse
from config import Config


def settings(
    config: Config,
    identities: Identities,
    lake: Lake,
    warehouse: Warehouse,
    kaggle: KaggleSecret,
    network: Network,
) -> dict[str, pulumi.Input[str]]:
    """The platform's settings that the infrastructure decides: environment variable -> value."""
    return {
        "CHICAGO_CRIME_DEPLOYMENT": "gcp",
        "CHICAGO_CRIME_SOURCE": config.source,
        "CHICAGO_CRIME_GCP_PROJECT": config.project,
        "CHICAGO_CRIME_GCP_REGION": config.region,
        "CHICAGO_CRIME_GCS_BUCKET": lake.bucket.name,
        "CHICAGO_CRIME_BIGQUERY_DATASET": warehouse.dataset.dataset_id,
        "CHICAGO_CRIME_DATAPROC_MODE": config.dataproc_mode,
        "CHICAGO_CRIME_DATAPROC_MACHINE_TYPE": config.dataproc_machine_type,
        "CHICAGO_CRIME_DATAPROC_WORKERS": str(config.dataproc_workers),
        "CHICAGO_CRIME_DATAPROC_SERVICE_ACCOUNT": identities.spark.email,
        "CHICAGO_CRIME_DATAPROC_SUBNET": network.spark.id,
        "CHICAGO_CRIME_KAGGLE_SECRET": kaggle.secret.id,
    }


def operations(
    config: Config, machine: Machine, registry: Registry, federation: Federation | None
) -> dict[str, pulumi.Input[str]]:
    """What the commands around the platform need: where the machine is, where its image comes from."""
    told: dict[str, pulumi.Input[str]] = {
        "machine": machine.instance.name,
        "zone": config.machine_zone,
        "image": registry.image,
    }
    if federation:
        told["github_provider"] = federation.provider.name
    return told
