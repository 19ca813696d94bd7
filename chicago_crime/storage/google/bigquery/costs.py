"""What BigQuery's work costs: the numbers that a job tells about itself, and what they come to.

Here belongs arithmetic over numbers that BigQuery gave. Reading them off a job belongs in `bigquery_jobs.py`; the
prices are in `list_prices.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields

from chicago_crime.storage.google.prices import TIB, USD_PER_TIB_QUERIED

GB = 10**9
MIB = 2**20


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


def billed(read: int, tables: int = 1) -> int:
    """The bytes that a query is billed for: whole MiB, and at least 10 of them for each table; nothing for nothing."""
    return max(-(-read // MIB), 10 * tables) * MIB if read else 0


def total(costs: Iterable[Costs]) -> Costs:
    """All of them together."""
    found = list(costs)
    return Costs(*(sum(getattr(one, field.name) for one in found) for field in fields(Costs)))
