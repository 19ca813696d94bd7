"""Checks, their findings, and the inputs they examine.

A failed check blocks publication of its year. Publishing reuses the findings of the run's check steps.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import getdoc
from typing import Any

from dagster import AssetCheckEvaluation, AssetCheckSeverity, AssetKey

from chicago_crime.graph.dagster_internals import AssetCheckEvaluationTargetMaterializationData
from chicago_crime.intake.source_files import Manifest, SourceFiles
from chicago_crime.published.catalog import CheckOutcome, PublishedYear
from chicago_crime.storage.object_store import ObjectStore
from chicago_crime.storage.warehouse import Warehouse
from chicago_crime.tables import Table

NOT_EXAMINED = "not examined: a file or another year that this check needs is not loaded, or is of another version"


@dataclass
class Finding:
    """The findings of a check for one year.

    Attributes:
        values: the values examined: named numbers, or JSON.
        failures: problems that block publication of the year.
        warnings: other problems to look into.
    """

    values: Any = None
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of_sums(cls, left: str, right: str, numbers: Mapping[str, int]) -> "Finding":
        """Compare two sums of named numbers, such as "crimes + rejected_crimes"; a difference is a failure."""
        total = {side: sum(numbers[name] for name in side.split(" + ")) for side in (left, right)}
        wrong = f"{left} is {total[left]:,}, but {right} is {total[right]:,}"
        return cls(dict(numbers), [wrong] if total[left] != total[right] else [])


Findings = Iterator[tuple[int, Finding]]
"""Years with their findings, without years that cannot be examined."""


@dataclass(frozen=True)
class Check:
    """One asset check.

    Attributes:
        description: the condition that must hold.
        examine: function that yields the findings for some years.
        can_be_accepted: whether `--accept` can publish a year that fails.
    """

    asset: str
    name: str
    description: str
    examine: "Callable[[CheckInputs, Sequence[int]], Findings]"
    can_be_accepted: bool = False

    @property
    def key(self) -> str:
        """Asset and name, separated by a colon."""
        return f"{self.asset}:{self.name}"

    def evaluation(
        self,
        outcome: CheckOutcome,
        values: Any,
        year: int,
        accepted: str | None,
        materialization: AssetCheckEvaluationTargetMaterializationData | None,
    ) -> AssetCheckEvaluation:
        """Return Dagster's record for a year: an error for failures that are not accepted, else a warning or passed.

        Named numbers among the values examined become entries of their own, which the UI plots. Dagster only shows
        results of the latest materialization.
        """
        are_numbers = isinstance(values, dict) and all(isinstance(value, int | float) for value in values.values())
        return AssetCheckEvaluation(
            asset_key=AssetKey(self.asset),
            check_name=self.name,
            passed=outcome.outcome == "passed",
            severity=AssetCheckSeverity.ERROR if outcome.outcome == "failed" else AssetCheckSeverity.WARN,
            description=(f"Accepted ({accepted}): " if outcome.outcome == "accepted" else "") + outcome.finding or None,
            metadata={"year": str(year), **(values if are_numbers else {"found": values})},
            partition=str(year),
            target_materialization_data=materialization,
        )

    def outcome(self, finding: Finding, accept: str | None) -> CheckOutcome:
        """Return the catalog's record for a year. `accept` is the reason for accepting failures."""
        outcome = "warning" if finding.warnings else "passed"
        if finding.failures:
            outcome = "accepted" if accept and self.can_be_accepted else "failed"
        return CheckOutcome(check=self.key, outcome=outcome, finding="; ".join([*finding.failures, *finding.warnings]))


def check(
    asset: str, can_be_accepted: bool = False
) -> "Callable[[Callable[[CheckInputs, Sequence[int]], Findings]], Check]":
    """Turn a function into a check, named after it and described by its docstring, as Dagster's decorators do."""
    return lambda examine: Check(asset, examine.__name__, getdoc(examine) or "", examine, can_be_accepted)


@dataclass
class CheckInputs:
    """The data that the checks of a run examine, after the steps that write it.

    Attributes:
        warehouse, source_files, object_store: parts of the installation.
        published: returns the published years.
    """

    warehouse: Warehouse
    source_files: SourceFiles
    object_store: ObjectStore
    published: Callable[[], Mapping[int, PublishedYear]]
    _findings: dict[tuple[str, int], Finding] = field(default_factory=dict, init=False, repr=False)

    def findings(self, check: Check, years: Sequence[int]) -> dict[int, Finding]:
        """Return the findings of a check by year. No year is examined twice."""
        if new := [year for year in years if (check.key, year) not in self._findings]:
            found = dict(check.examine(self, new))
            self._findings |= {(check.key, year): found.get(year, Finding(NOT_EXAMINED)) for year in new}
        return {year: self._findings[check.key, year] for year in years}

    def with_year_before(self, table: Table, years: Sequence[int]) -> tuple[list[int], list[int]]:
        """Return the years that can be compared with the previous year, and these years plus the previous ones."""
        stored, outdated = self.warehouse.stored(table), self.warehouse.outdated(table)
        usable = {year for year, held in stored.items() if held.rows and year not in outdated}
        compared = [year for year in years if {year - 1, year} <= usable]
        return compared, sorted({y for year in compared for y in (year - 1, year)})

    def manifests(self, years: Sequence[int]) -> dict[int, Manifest]:
        """Return the manifests of the years that have one."""
        found = {year: self.source_files.manifest(year) for year in years}
        return {year: manifest for year, manifest in found.items() if manifest}
