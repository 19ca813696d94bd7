"""What the stack of `infra_pulumi` costs in a month in which nothing runs, from list prices.

    python -m benchmarks.stack [--machine e2-standard-2] [--data-disk 30] [--no-nat]

Here belongs the sum of what stands there all the time: machine, disks, network, images. What a backfill costs, and
what the data cost that lie there, is in `benchmarks/cloud.py`. Nothing is measured or sent.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from benchmarks.prices import (
    USD_PER_GIB_MONTH_OF_BALANCED_DISK,
    USD_PER_GIB_MONTH_OF_IMAGES,
    USD_PER_GIB_MONTH_OF_SNAPSHOTS,
    USD_PER_HOUR_OF_ADDRESS,
    USD_PER_HOUR_OF_NAT,
    USD_PER_MONTH_OF_SECRET,
)
from chicago_crime.storage.google import prices

BOOT_DISK_GB = 20
SNAPSHOT_GB = 5
"""A guess: what two weeks of daily snapshots hold, of which each has only what changed."""
IMAGE_GB = 2
"""A guess: ten versions of the image, which share most of their layers."""


@dataclass(frozen=True)
class Line:
    """One thing that costs: how much of it, and US dollars a month."""

    what: str
    amount: str
    usd: float


def month(machine: str, data_disk_gb: int, has_nat: bool) -> list[Line]:
    """What stands there for a month.

    Raises:
        ValueError: the machine's price is not known.
    """
    per_hour = prices.compute_usd_per_hour(machine)
    if per_hour is None:
        raise ValueError(f"the price of {machine} is not in chicago_crime/storage/google/prices.py")
    hours, disks = prices.HOURS_A_MONTH, BOOT_DISK_GB + data_disk_gb
    lines = [
        Line("machine", f"{machine}, {hours} h", hours * per_hour),
        Line("disks", f"{disks} GB", disks * USD_PER_GIB_MONTH_OF_BALANCED_DISK),
        Line("snapshots", f"{SNAPSHOT_GB} GB (a guess)", SNAPSHOT_GB * USD_PER_GIB_MONTH_OF_SNAPSHOTS),
        Line("images", f"{IMAGE_GB} GB (a guess)", IMAGE_GB * USD_PER_GIB_MONTH_OF_IMAGES),
        Line("Kaggle's secret", "1 version", USD_PER_MONTH_OF_SECRET),
    ]
    if has_nat:
        nat = hours * (USD_PER_HOUR_OF_NAT + USD_PER_HOUR_OF_ADDRESS)
        lines.append(Line("Cloud NAT and its address", f"{hours} h", nat))
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machine", default="e2-standard-2")
    parser.add_argument("--data-disk", type=int, default=30, metavar="GB")
    parser.add_argument("--no-nat", action="store_true")
    given = parser.parse_args(arguments)
    lines = month(given.machine, given.data_disk, not given.no_nat)
    table = Table("", "amount", "USD", title="A month of the stack, without the data", show_footer=False)
    for line in lines:
        table.add_row(line.what, line.amount, f"{line.usd:.2f}")
    table.add_row("all", "", f"{sum(line.usd for line in lines):.2f}")
    Console(highlight=False, width=120).print(table)


if __name__ == "__main__":
    main()
