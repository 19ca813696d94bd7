"""List prices of Google Cloud, in US dollars: on-demand prices of us-central1 as of 2025, each with its source.

Those of Dataproc were looked up; the others were not compared with the pages that they name: do so before you rely on
them. Other regions cost up to half as much again. Free monthly allowances are left out.
"""

import re

TIB = 2**40
HOURS_A_MONTH = 730
CLUSTER_DISK_GB = 100  # boot disk of each machine of a Dataproc cluster

USD_PER_TIB_QUERIED = 6.25
"""BigQuery, by bytes billed: https://cloud.google.com/bigquery/pricing. Load jobs, DDL and metadata are free, and so is
the first TiB of a month."""

USD_PER_VCPU_HOUR_OF_DATAPROC = 0.01
"""Dataproc, on top of its machines: https://cloud.google.com/dataproc/pricing."""

USD_PER_GIB_MONTH_OF_DISK = 0.04
"""Compute Engine, standard disk: https://cloud.google.com/compute/disks-image-pricing."""

_VCPU_AND_GIB = {
    "e2": (0.021811, 0.002923),
    "n1": (0.031611, 0.004237),
    "n2": (0.031611, 0.004237),
    "n2d": (0.027502, 0.003686),
}
"""Compute Engine, a vCPU and a GiB of memory for an hour, by family of machines:
https://cloud.google.com/compute/vm-instance-pricing."""

_GIB_PER_VCPU = {
    "standard": {"n1": 3.75},
    "highmem": {"n1": 6.5},
    "highcpu": {"n1": 0.9, "n2": 1.0, "n2d": 1.0, "e2": 1.0},
}
_USUAL_GIB = {"standard": 4.0, "highmem": 8.0, "highcpu": 1.0}


def machine_usd_per_hour(machine_type: str, disk_gib: int) -> float | None:
    """Price of a machine of a Dataproc cluster for an hour, with its disk and Dataproc's fee.

    Returns:
        None for a machine type that is not in the price list.
    """
    size = _size(machine_type)
    compute = compute_usd_per_hour(machine_type)
    if size is None or compute is None:
        return None
    disk = disk_gib * USD_PER_GIB_MONTH_OF_DISK / HOURS_A_MONTH
    return compute + size[0] * USD_PER_VCPU_HOUR_OF_DATAPROC + disk


def compute_usd_per_hour(machine_type: str) -> float | None:
    """Price of a machine of Compute Engine for an hour, without its disks.

    Returns:
        None for a machine type that is not in the price list.
    """
    size = _size(machine_type)
    if size is None:
        return None
    of_vcpu, of_gib = _VCPU_AND_GIB[machine_type.split("-")[0]]
    return size[0] * of_vcpu + size[1] * of_gib


def vcpus(machine_type: str) -> int | None:
    """The number of virtual processors of a machine type; None for one that is not in the price list."""
    size = _size(machine_type)
    return size[0] if size else None


def _size(machine_type: str) -> tuple[int, float] | None:
    """The vCPUs of a machine type, and its memory in GiB."""
    named = re.fullmatch(r"(\w+)-(standard|highmem|highcpu)-(\d+)", machine_type)
    if named is None or named[1] not in _VCPU_AND_GIB:
        return None
    family, kind, vcpus = named[1], named[2], int(named[3])
    return vcpus, vcpus * _GIB_PER_VCPU[kind].get(family, _USUAL_GIB[kind])
