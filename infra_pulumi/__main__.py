"""What `pulumi up` provisions: every component of the platform on Google Cloud, and the stack's outputs.

The components are defined in `components/`, the configuration keys in `config.py`.
"""

import pulumi

from components.access import Access, Identities
from components.ci import Federation, Registry
from components.data import KaggleSecret, Lake, Site, Warehouse
from components.machine import Machine
from components.network import Network
from components.project import Apis, Budget
from config import load_config

config = load_config()
apis = Apis("apis", config)

identities = Identities("identities", config, [apis])
lake = Lake("lake", config, [apis])
site = Site("site", config, [apis])
warehouse = Warehouse("warehouse", config, [apis])
kaggle = KaggleSecret("kaggle", config, [apis])
registry = Registry("registry", config, [apis])
network = Network("network", config, identities, [apis])
access = Access("access", config, identities, lake, site, warehouse, kaggle, registry, [apis])

# The settings that the infrastructure decides, as environment variables. All others keep the defaults of
# `chicago_crime/settings.py`.
environment: dict[str, pulumi.Input[str]] = {
    "CHICAGO_CRIME_DEPLOYMENT": "gcp",
    "CHICAGO_CRIME_SOURCE": config.source,
    "CHICAGO_CRIME_GCP_PROJECT": config.project,
    "CHICAGO_CRIME_GCP_REGION": config.region,
    "CHICAGO_CRIME_GCS_BUCKET": lake.bucket.name,
    "CHICAGO_CRIME_GCS_STAGING_BUCKET": lake.staging.name,
    "CHICAGO_CRIME_GCS_SITE_BUCKET": site.bucket.name,
    "CHICAGO_CRIME_BIGQUERY_DATASET": warehouse.dataset.dataset_id,
    "CHICAGO_CRIME_DATAPROC_MODE": config.dataproc_mode,
    "CHICAGO_CRIME_DATAPROC_MACHINE_TYPE": config.dataproc_machine_type,
    "CHICAGO_CRIME_DATAPROC_WORKERS": str(config.dataproc_workers),
    "CHICAGO_CRIME_DATAPROC_SERVICE_ACCOUNT": identities.spark.email,
    "CHICAGO_CRIME_DATAPROC_SUBNET": network.spark.id,
    "CHICAGO_CRIME_KAGGLE_SECRET": kaggle.secret.id,
}
machine = Machine("machine", config, identities, network, registry, environment, [apis, access, network])

outputs = {
    **environment,
    "machine": machine.instance.name,
    "zone": config.machine_zone,
    "image": registry.image,
}
if config.github_repository:
    outputs["github_provider"] = Federation("github", config, registry, [apis]).provider.name
if config.billing_account:
    Budget("budget", config, [apis])
for name, value in outputs.items():
    pulumi.export(name, value)
