"""What `pulumi up` provisions: the parts of the platform on Google Cloud, on one page.

Here belongs which parts there are and what they get of each other. What a part is made of is in `components/`, what
can be chosen in `config.py`.
"""

import pulumi

from components.access import Access
from components.apis import Apis
from components.budget import Budget
from components.federation import Federation
from components.identities import Identities
from components.kaggle_secret import KaggleSecret
from components.lake import Lake
from components.machine import Machine
from components.network import Network
from components.registry import Registry
from components.warehouse import Warehouse
from outputs import operations, settings
from read_config import load_config

config = load_config()
apis = Apis("apis", config)

identities = Identities("identities", config, [apis])
lake = Lake("lake", config, [apis])
warehouse = Warehouse("warehouse", config, [apis])
secret = KaggleSecret("kaggle", config, [apis])
registry = Registry("registry", config, [apis])
network = Network("network", config, identities, [apis])
access = Access("access", config, identities, lake, warehouse, secret, registry, [apis])

environment = settings(config, identities, lake, warehouse, secret, network)
machine = Machine("machine", config, identities, network, registry, environment, [apis, access, network])
federation = Federation("github", config, registry, [apis]) if config.github_repository else None
if config.billing_account:
    Budget("budget", config, [apis])
for name, value in {**environment, **operations(config, machine, registry, federation)}.items():
    pulumi.export(name, value)
