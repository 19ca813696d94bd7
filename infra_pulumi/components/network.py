"""The network: two subnets without public addresses, firewall rules, and NAT.

The project's network `default` is not used, because it allows connections from the internet.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import compute

from components.access import Identities
from components.part import Part
from config import Config

MACHINE_RANGE = "10.10.0.0/28"
SPARK_RANGE = "10.10.16.0/20"
"""Room for the largest cluster, or for the machines of a batch."""

IAP_RANGE = "35.235.240.0/20"
"""The addresses of Google's Identity-Aware Proxy."""

SSH_PORT, WEB_PORTS = "22", ["3000", "8050"]


class Network(Part):
    """The network.

    Attributes:
        machine: the subnet of the machine.
        spark: the subnet of Dataproc's machines.
    """

    def __init__(self, name: str, config: Config, identities: Identities, after: Sequence[pulumi.Resource]):
        super().__init__(name, config, after)
        self.network = compute.Network(
            f"{name}-network",
            name=config.named(),
            description="Chicago crime data platform",
            auto_create_subnetworks=False,
            opts=self.options(),
        )
        # A new description would replace a subnet.
        self.machine = self._subnet("machine", MACHINE_RANGE, "The machine of Dagster and the dashboard")
        self.spark = self._subnet("spark", SPARK_RANGE, "The machines that Spark runs on")
        # Google blocks incoming connections unless a rule allows them.
        compute.Firewall(
            f"{name}-from-iap",
            name=config.named("from-iap"),
            description="Identity-Aware Proxy reaches SSH, Dagster and the dashboard on the machine",
            network=self.network.id,
            source_ranges=[IAP_RANGE],
            target_service_accounts=[identities.platform.email],
            allows=[{"protocol": "tcp", "ports": [SSH_PORT, *WEB_PORTS]}],
            log_config={"metadata": "INCLUDE_ALL_METADATA"},
            opts=self.options(),
        )
        # By address instead of account, because the machines of a batch belong to Google.
        compute.Firewall(
            f"{name}-within-spark",
            name=config.named("within-spark"),
            description="Spark's machines reach each other",
            network=self.network.id,
            source_ranges=[SPARK_RANGE],
            destination_ranges=[SPARK_RANGE],
            allows=[{"protocol": "tcp"}, {"protocol": "udp"}, {"protocol": "icmp"}],
            opts=self.options(),
        )
        self._nat()
        self.register_outputs({})

    def _subnet(self, what: str, addresses: str, description: str) -> compute.Subnetwork:
        return compute.Subnetwork(
            f"{self.name}-{what}",
            name=self.config.named(what),
            description=description,
            region=self.config.region,
            network=self.network.id,
            ip_cidr_range=addresses,
            private_ip_google_access=True,
            opts=self.options(),
        )

    def _nat(self) -> None:
        """Give only the machine internet access, for the portal, Kaggle and Docker Hub."""
        router = compute.Router(
            f"{self.name}-router",
            name=self.config.named(),
            region=self.config.region,
            network=self.network.id,
            opts=self.options(),
        )
        compute.RouterNat(
            f"{self.name}-nat",
            name=self.config.named(),
            region=self.config.region,
            router=router.name,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetworks=[{"name": self.machine.id, "source_ip_ranges_to_nats": ["ALL_IP_RANGES"]}],
            log_config={"enable": True, "filter": "ERRORS_ONLY"},
            opts=self.options(),
        )
