"""What BigQuery's work costs: list prices in one place, and the numbers that a job tells about itself.

Here belongs arithmetic over numbers that BigQuery gave. Reading them off a job belongs in `bigquery_jobs.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

USD_PER_TIB_QUERIED = 6.25
"""On-demand list price of a query, by bytes billed, in us-central1 and the US; other regions ask up to half as much
again. Source: https://cloud.google.com/bigquery/pricing, read in 2025. Load jobs, DDL and metadata are free; the first
TiB of a month is free, too, which this estimate leaves out."""

TIB = 2**40
GB = 10**9


@dataclass(frozen=True)
class Costs:
    """What one or more jobs took.

    Attributes:
        jobs: how many jobs, dry runs not counted.
        bytes_estimated: bytes that the dry run foresaw; 0 without one.
        bytes_processed: bytes read.
        bytes_billed: bytes to pay for: rounded up, and at least 10 MB a table.
        slot_ms: time of all processors together, in milliseconds.
    """

    jobs: int = 0
    bytes_estimated: int = 0
    bytes_processed: int = 0
    bytes_billed: int = 0
    slot_ms: int = 0

    @property
    def usd(self) -> float:
        """Estimated cost in US dollars, at the list price."""
        return self.bytes_billed / TIB * USD_PER_TIB_QUERIED

    def as_details(self) -> dict[str, int | float]:
        """The numbers by name, for an asset's metadata."""
        named = {f"bigquery_{field.name}": getattr(self, field.name) for field in fields(self)}
        return named | {"bigquery_estimated_usd": round(self.usd, 6)}


def total(costs: Iterable[Costs]) -> Costs:
    """All of them together."""
    found = list(costs)
    return Costs(*(sum(getattr(one, field.name) for one in found) for field in fields(Costs)))
