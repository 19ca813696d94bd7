"""The machine that runs Dagster and the dashboard, its disk, and the operators who may open a tunnel to it.

`cloud-init.yaml` configures the machine at startup.
"""

from collections.abc import Mapping, Sequence

import pulumi
from pulumi_gcp import compute, iap

from cloud_init import render
from components.access import Identities
from components.ci import Registry
from components.network import Network
from components.part import Part
from config import Config

IMAGE = "projects/cos-cloud/global/images/family/cos-stable"
"""Container-Optimized OS: it includes Docker and updates itself."""

DISK = "data"
"""The device name of the disk: /dev/disk/by-id/google-data on the machine."""


class Machine(Part):
    """The machine."""

    def __init__(
        self,
        name: str,
        config: Config,
        identities: Identities,
        network: Network,
        registry: Registry,
        environment: Mapping[str, pulumi.Input[str]],
        secret: pulumi.Input[str],
        after: Sequence[pulumi.Resource],
    ):
        super().__init__(name, config, after)
        user_data = pulumi.Output.all(registry.image, pulumi.Output.from_input(environment), secret).apply(
            lambda known: render(image=known[0], environment=known[1], secret=known[2])
        )
        self.instance = compute.Instance(
            f"{name}-instance",
            name=config.named(),
            description="Dagster and the dashboard of the Chicago crime data platform",
            zone=config.machine_zone,
            machine_type=config.machine_type,
            labels=config.labels,
            boot_disk={
                "auto_delete": True,
                "initialize_params": {"image": IMAGE, "size": 20, "type": "pd-balanced", "labels": config.labels},
            },
            attached_disks=[{"source": self._disk().id, "device_name": DISK, "mode": "READ_WRITE"}],
            # Without `access_configs` the machine has no public address.
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
                "cos-update-strategy": "update_enabled",  # off by default since milestone 117; applied at the next boot
                "user-data": user_data,
            },
            allow_stopping_for_update=True,
            # A machine reads its user data only at boot, so a change needs a new machine. The old one is deleted first,
            # because the disk can be attached to only one.
            opts=self.options(replace_on_changes=['metadata["user-data"]'], delete_before_replace=True),
        )
        for member in config.operators:
            self._operator(member)
        self.register_outputs({})

    def _disk(self) -> compute.Disk:
        """The data disk, which outlives the machine. Only kept data have daily snapshots, because they outlive it."""
        config, name = self.config, self.name
        disk = compute.Disk(
            f"{name}-disk",
            name=config.named("data"),
            description="Dagster's database, and the CSVs as they came",  # a new description would replace the disk
            zone=config.machine_zone,
            type="pd-balanced",
            size=config.data_disk_gb,
            labels=config.labels,
            opts=self.options(protect=config.keep_data),
        )
        if config.keep_data:
            self._snapshots(disk)
        return disk

    def _snapshots(self, disk: compute.Disk) -> None:
        config, name = self.config, self.name
        schedule = compute.ResourcePolicy(
            f"{name}-daily",
            name=config.named("daily"),
            description="A snapshot every day",
            region=config.region,
            snapshot_schedule_policy={
                "schedule": {"daily_schedule": {"days_in_cycle": 1, "start_time": "09:00"}},  # UTC: night in Chicago
                "retention_policy": {
                    "max_retention_days": config.snapshot_days,
                    "on_source_disk_delete": "KEEP_AUTO_SNAPSHOTS",
                },
                "snapshot_properties": {"labels": config.labels, "storage_locations": config.region},
            },
            opts=self.options(),
        )
        compute.DiskResourcePolicyAttachment(
            f"{name}-snapshots",
            zone=config.machine_zone,
            disk=disk.name,
            name=schedule.name,
            opts=self.options(),
        )

    def _operator(self, member: str) -> None:
        """Let an operator open tunnels through IAP to this machine only; gcloud first looks up the machine.

        Names include the member: with numbers, removing one operator would shift the others and lock out the last.
        """
        iap.TunnelInstanceIAMMember(
            f"{self.name}-tunnel-{member}",
            zone=self.config.machine_zone,
            instance=self.instance.name,
            role="roles/iap.tunnelResourceAccessor",
            member=member,
            opts=self.options(),
        )
        compute.InstanceIAMMember(
            f"{self.name}-view-{member}",
            zone=self.config.machine_zone,
            instance_name=self.instance.name,
            role="roles/compute.viewer",
            member=member,
            opts=self.options(),
        )
