"""What the check modules share: which years a check covers, and how it reports its findings."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dagster import AssetCheckExecutionContext, AssetCheckKey, AssetCheckResult, AssetCheckSeverity, MetadataValue

from chicago_crime.storage.warehouse import Warehouse
from chicago_crime.tables import Table


@dataclass
class Findings:
    """What a check found, by year; its problems; and further metadata, by name."""

    by_year: dict[int, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    more: dict[str, MetadataValue] = field(default_factory=dict)

    def result(
        self, severity: AssetCheckSeverity = AssetCheckSeverity.ERROR, check: AssetCheckKey | None = None
    ) -> AssetCheckResult:
        """The result of the check: passed if there is no problem.

        Args:
            severity: of the problems.
            check: which check, where a step makes several.
        """
        return AssetCheckResult(
            asset_key=check and check.asset_key,
            check_name=check and check.name,
            passed=not self.problems,
            severity=severity,
            description="; ".join(self.problems) or None,
            metadata={
                "by_year": MetadataValue.json({str(year): found for year, found in sorted(self.by_year.items())}),
                "years": len(self.by_year),
                **self.more,
            },
        )

    def must_be_equal(self, year: int, left: str, right: str, numbers: Mapping[str, int]) -> None:
        """Record the equation of two sums of named numbers, e.g. "crimes + rejects", and a problem if it is wrong."""
        total = {side: sum(numbers[name] for name in side.split(" + ")) for side in (left, right)}
        self.by_year[year] = dict(numbers)
        if total[left] != total[right]:
            self.problems.append(f"{year}: {left} is {total[left]:,}, but {right} is {total[right]:,}")


def years_of(context: AssetCheckExecutionContext, warehouse: Warehouse, table: Table) -> list[int]:
    """The years of the run; every stored year if the check runs outside of a run of partitions."""
    if context.has_partition_key or context.has_partition_key_range:
        return [int(key) for key in context.partition_keys]
    return sorted(warehouse.stored(table))
