"""Google Cloud's list prices in US dollars: on-demand prices of us-central1 as of 2025, each with its source.

Dataproc's were checked against its page; the others were not, so check them before you rely on them. Other regions cost
up to 50% more. Free monthly allowances are ignored.
"""

import re

TIB = 2**40
HOURS_A_MONTH = 730
CLUSTER_DISK_GB = 100  # boot disk of each machine of a Dataproc cluster

BATCH_VCPUS = 12
"""A serverless batch's driver and two executors, of four each:
https://docs.cloud.google.com/managed-spark/quotas-serverless."""

USD_PER_TIB_QUERIED = 6.25
"""BigQuery, by bytes billed: https://cloud.google.com/bigquery/pricing. Load jobs, DDL and metadata are free, and so is
the first TiB of a month."""

USD_PER_VCPU_HOUR_OF_DATAPROC = 0.01
"""Dataproc, on top of its machines: https://cloud.google.com/dataproc/pricing."""

USD_PER_GIB_MONTH_OF_DISK = 0.04
"""Compute Engine, standard disk: https://cloud.google.com/compute/disks-image-pricing."""

_USD_PER_VCPU_HOUR = {
    "e2": 0.021811 + 4 * 0.002923,
    "n1": 0.031611 + 3.75 * 0.004237,
    "n2": 0.031611 + 4 * 0.004237,
    "n2d": 0.027502 + 4 * 0.003686,
}
"""Compute Engine, a vCPU of a standard machine with its share of the memory, by machine family:
https://cloud.google.com/compute/vm-instance-pricing."""


def machine_usd_per_hour(machine_type: str) -> float | None:
    """Return the hourly price of a cluster's machine with its disk and Dataproc's fee; None for an unknown type."""
    family, _, rest = machine_type.partition("-")
    if family not in _USD_PER_VCPU_HOUR or not rest.startswith("standard-"):
        return None
    disk = CLUSTER_DISK_GB * USD_PER_GIB_MONTH_OF_DISK / HOURS_A_MONTH
    return vcpus(machine_type) * (_USD_PER_VCPU_HOUR[family] + USD_PER_VCPU_HOUR_OF_DATAPROC) + disk


def vcpus(machine_type: str) -> int:
    """Return the number of vCPUs at the end of a machine type's name; 0 if there is none."""
    number = re.search(r"-(\d+)$", machine_type)
    return int(number[1]) if number else 0
