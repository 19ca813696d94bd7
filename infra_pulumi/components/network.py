"""The network: two subnets without public addresses, what may come in, and the way out.

Here belongs who can reach whom. The project's network `default`, which lets in the world, is not used.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import compute

from components.identities import Identities
from components.part import Part
from config import Config

MACHINE_RANGE = "10.10.0.0/28"
SPARK_RANGE = "10.10.16.0/20"
"""Room for the largest cluster, and for a batch's machines."""

IAP_RANGE = "35.235.240.0/20"
"""Where Google's Identity-Aware Proxy comes from, and nobody else."""

SSH_PORT, WEB_PORTS = "22", ["3000", "8050"]


class Network(Part):
    """The network.

    Attributes:
        machine: the subnet of the machine.
        spark: the subnet of Dataproc's machines.
    """

    def __init__(self, name: str, config: Config, identities: Identities, after: Sequence[pulumi.Resource]):
        super().__init__(name, after)
        network = compute.Network(
            f"{name}-network",
            project=config.project,
            name=config.named(),
            description="Chicago crime data platform",
            auto_create_subnetworks=False,
            routing_mode="REGIONAL",
            opts=self.ours(),
        )

        def subnet(what: str, addresses: str, description: str) -> compute.Subnetwork:
            return compute.Subnetwork(
                f"{name}-{what}",
                project=config.project,
                name=config.named(what),
                description=description,
                region=config.region,
                network=network.id,
                ip_cidr_range=addresses,
                private_ip_google_access=True,
                opts=self.ours(),
            )

        self.machine = subnet("machine", MACHINE_RANGE, "The machine of Dagster and the dashboard")
        self.spark = subnet("spark", SPARK_RANGE, "The machines that Spark runs on")
        # What no rule admits, Google keeps out.
        compute.Firewall(
            f"{name}-from-iap",
            project=config.project,
            name=config.named("from-iap"),
            description="Identity-Aware Proxy reaches SSH, Dagster and the dashboard on the machine",
            network=network.id,
            direction="INGRESS",
            source_ranges=[IAP_RANGE],
            target_service_accounts=[identities.platform.email],
            allows=[{"protocol": "tcp", "ports": [SSH_PORT, *WEB_PORTS]}],
            log_config={"metadata": "INCLUDE_ALL_METADATA"},
            opts=self.ours(),
        )
        # By addresses and not by account: a batch's machines, which are Google's, need not show the account they use.
        compute.Firewall(
            f"{name}-within-spark",
            project=config.project,
            name=config.named("within-spark"),
            description="Spark's machines reach each other",
            network=network.id,
            direction="INGRESS",
            source_ranges=[SPARK_RANGE],
            destination_ranges=[SPARK_RANGE],
            allows=[{"protocol": "tcp"}, {"protocol": "udp"}, {"protocol": "icmp"}],
            opts=self.ours(),
        )
        if config.nat:
            self._way_out(name, config, network)
        self.register_outputs({"machine": self.machine.id, "spark": self.spark.id})

    def _way_out(self, name: str, config: Config, network: compute.Network) -> None:
        """Let the machine, and it only, into the internet: the City's portal and Kaggle are not Google's."""
        router = compute.Router(
            f"{name}-router",
            project=config.project,
            name=config.named(),
            region=config.region,
            network=network.id,
            opts=self.ours(),
        )
        compute.RouterNat(
            f"{name}-nat",
            project=config.project,
            name=config.named(),
            region=config.region,
            router=router.name,
            nat_ip_allocate_option="AUTO_ONLY",
            source_subnetwork_ip_ranges_to_nat="LIST_OF_SUBNETWORKS",
            subnetworks=[{"name": self.machine.id, "source_ip_ranges_to_nats": ["ALL_IP_RANGES"]}],
            log_config={"enable": True, "filter": "ERRORS_ONLY"},
            opts=self.ours(),
        )
