"""List prices that only the benchmarks need. The others, and what holds for all, are in the package's `prices.py`."""

USD_PER_GIB_MONTH_OF_TABLES = 0.02
"""BigQuery, active logical storage: https://cloud.google.com/bigquery/pricing."""

USD_PER_GIB_MONTH_OF_OBJECTS = 0.02
"""Cloud Storage, standard class in one region: https://cloud.google.com/storage/pricing."""

USD_PER_1000_WRITES = 0.005
"""Cloud Storage, class A operations (writes and lists): https://cloud.google.com/storage/pricing."""

USD_PER_GIB_MONTH_OF_BALANCED_DISK = 0.10
"""Compute Engine, balanced disk: https://cloud.google.com/compute/disks-image-pricing."""

USD_PER_GIB_MONTH_OF_SNAPSHOTS = 0.05
"""Compute Engine, standard snapshots kept in one region, which hold what changed:
https://cloud.google.com/compute/disks-image-pricing."""

USD_PER_HOUR_OF_NAT = 0.0014
"""Cloud NAT, for each machine behind it: https://cloud.google.com/nat/pricing."""

USD_PER_HOUR_OF_ADDRESS = 0.005
"""A public IPv4 address, as Cloud NAT uses one: https://cloud.google.com/vpc/network-pricing."""

USD_PER_GIB_MONTH_OF_IMAGES = 0.10
"""Artifact Registry: https://cloud.google.com/artifact-registry/pricing. The first half GiB is free."""

USD_PER_MONTH_OF_SECRET = 0.06
"""Secret Manager, a version of a secret: https://cloud.google.com/secret-manager/pricing. Six are free."""
