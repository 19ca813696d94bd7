"""The machine of Dagster and the dashboard, and its disk.

Here belongs what it is made of, and which people reach it. What it does when it starts is in `cloud-init.yaml`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pulumi
from pulumi_gcp import compute, iap, serviceaccount

from cloud_init import render
from components.identities import Identities
from components.network import Network
from components.part import Part
from components.registry import Registry
from config import Config

IMAGE = "projects/cos-cloud/global/images/family/cos-stable"
"""Container-Optimized OS: Docker is in it, nothing is installed at the start, and it updates itself."""

DISK = "data"
"""The disk is /dev/disk/by-id/google-data on the machine."""

TEMPLATE = Path(__file__).parent.parent / "cloud-init.yaml"


class Machine(Part):
    """The machine.

    Attributes:
        instance: it.
    """

    def __init__(
        self,
        name: str,
        config: Config,
        identities: Identities,
        network: Network,
        registry: Registry,
        environment: Mapping[str, pulumi.Input[str]],
        after: Sequence[pulumi.Resource],
    ):
        super().__init__(name, after)
        disk = self._disk(name, config)
        start = pulumi.Output.all(registry.image, pulumi.Output.from_input(environment)).apply(
            lambda known: render(TEMPLATE.read_text(), image=known[0], environment=known[1])
        )
        self.instance = compute.Instance(
            f"{name}-instance",
            project=config.project,
            name=config.named(),
            description="Dagster and the dashboard of the Chicago crime data platform",
            zone=config.machine_zone,
            machine_type=config.machine_type,
            labels=config.labels,
            boot_disk={
                "auto_delete": True,
                "initialize_params": {"image": IMAGE, "size": 20, "type": "pd-balanced", "labels": config.labels},
            },
            attached_disks=[{"source": disk.id, "device_name": DISK, "mode": "READ_WRITE"}],
            # No `access_configs`: that is what gives a machine a public address.
            network_interfaces=[{"subnetwork": network.machine.id}],
            service_account={"email": identities.platform.email, "scopes": ["cloud-platform"]},
            shielded_instance_config={
                "enable_secure_boot": True,
                "enable_vtpm": True,
                "enable_integrity_monitoring": True,
            },
            metadata={
                "enable-oslogin": "TRUE",
                "block-project-ssh-keys": "TRUE",
                "serial-port-enable": "FALSE",
                "cos-update-strategy": "update_enabled",  # off by default since milestone 117; the next start has it
                "user-data": start,
            },
            allow_stopping_for_update=True,
            # What cloud-init should do differently, it would do at the machine's next start, whenever that is: a new
            # machine does it now. The disk can hang on one machine only, so the old one goes first.
            opts=self.ours(
                pulumi.ResourceOptions(replace_on_changes=['metadata["user-data"]'], delete_before_replace=True)
            ),
        )
        self._people(name, config, identities)
        self.register_outputs({"instance": self.instance.name})

    def _disk(self, name: str, config: Config) -> compute.Disk:
        """The disk that outlives machines, and its daily snapshots."""
        disk = compute.Disk(
            f"{name}-disk",
            project=config.project,
            name=config.named("data"),
            description="Dagster's database, and the CSVs as they came",
            zone=config.machine_zone,
            type="pd-balanced",
            size=config.data_disk_gb,
            labels=config.labels,
            opts=self.ours(pulumi.ResourceOptions(protect=config.keep_data)),
        )
        schedule = compute.ResourcePolicy(
            f"{name}-daily",
            project=config.project,
            name=config.named("daily"),
            description="A snapshot every day",
            region=config.region,
            snapshot_schedule_policy={
                "schedule": {"daily_schedule": {"days_in_cycle": 1, "start_time": "09:00"}},  # UTC: Chicago's night
                "retention_policy": {
                    "max_retention_days": config.snapshot_days,
                    "on_source_disk_delete": "KEEP_AUTO_SNAPSHOTS" if config.keep_data else "APPLY_RETENTION_POLICY",
                },
                "snapshot_properties": {"labels": config.labels, "storage_locations": config.region},
            },
            opts=self.ours(),
        )
        compute.DiskResourcePolicyAttachment(
            f"{name}-snapshots",
            project=config.project,
            zone=config.machine_zone,
            disk=disk.name,
            name=schedule.name,
            opts=self.ours(),
        )
        return disk

    def _people(self, name: str, config: Config, identities: Identities) -> None:
        """Let the operators through IAP to this machine and no other, and log in without being root."""
        for number, member in enumerate(config.operators):
            iap.TunnelInstanceIAMMember(
                f"{name}-tunnel-{number}",
                project=config.project,
                zone=config.machine_zone,
                instance=self.instance.name,
                role="roles/iap.tunnelResourceAccessor",
                member=member,
                opts=self.ours(),
            )
            compute.InstanceIAMMember(
                f"{name}-login-{number}",
                project=config.project,
                zone=config.machine_zone,
                instance_name=self.instance.name,
                role="roles/compute.osLogin",
                member=member,
                opts=self.ours(),
            )
            # Who is on a machine can do what its account can, so OS Login asks for the right to that.
            serviceaccount.IAMMember(
                f"{name}-account-{number}",
                service_account_id=identities.platform.name,
                role="roles/iam.serviceAccountUser",
                member=member,
                opts=self.ours(),
            )
