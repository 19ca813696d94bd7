"""The Pulumi program: every component of the platform on Google Cloud, and the stack's outputs.

`components/` defines the components, and `config.py` the configuration keys.
"""

import pulumi

from components.access import Access, Identities
from components.ci import Federation, Registry
from components.data import Lake, Site, StoredSecret, Warehouse
from components.machine import Machine
from components.network import Network
from components.project import Apis, Budget
from config import ConfigError, load_config

config = load_config()
apis = Apis("apis", config)

identities = Identities("identities", config, [apis])
lake = Lake("lake", config, [apis])
site = Site("site", config, [apis])
warehouse = Warehouse("warehouse", config, [apis])
kaggle = StoredSecret("kaggle", config, "kaggle-token", config.kaggle_token, [apis])
settings = StoredSecret("settings", config, "settings", config.secret_settings, [apis])
registry = Registry("registry", config, [apis])
network = Network("network", config, identities, [apis])
access = Access("access", config, identities, lake, site, warehouse, [kaggle, settings], registry, [apis])

# The settings determined by the infrastructure, as environment variables. All others come from the configuration's
# `settings`, or keep the defaults of `chicago_crime/settings.py`.
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
if fixed := sorted(environment.keys() & config.settings.keys()):
    raise ConfigError(f"{fixed[0]} is set by the stack: `pulumi config rm --path settings.{fixed[0]}`")
environment |= config.plain_settings
after_all = [apis, access, network]
machine = Machine("machine", config, identities, network, registry, environment, settings.version, after_all)

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
