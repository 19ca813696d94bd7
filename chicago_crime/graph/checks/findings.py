"""What checks are made of: a function that looks at years, what it found, and how Dagster shows it.

A check that fails keeps its years from being published. Its findings are kept by the state of the tables, so that what
a run's check steps found need not be found again when the run publishes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dagster import AssetCheckEvaluation, AssetCheckSeverity, AssetKey, MetadataValue

from chicago_crime.intake.source_files import Manifest, SourceFiles
from chicago_crime.published.catalog import CheckFound, PublishedYear
from chicago_crime.storage.object_store import ObjectStore
from chicago_crime.storage.warehouse import TableYear, Warehouse
from chicago_crime.tables import TABLES, Table


@dataclass
class Findings:
    """What a check found of each year, which years fail and why, and which only need a person to look at them."""

    by_year: dict[int, Any] = field(default_factory=dict)
    failures: dict[int, list[str]] = field(default_factory=dict)
    warnings: dict[int, list[str]] = field(default_factory=dict)

    def fail(self, year: int, problem: str) -> None:
        """Record a problem that keeps a year from being published."""
        self.failures.setdefault(year, []).append(problem)

    def warn(self, year: int, problem: str) -> None:
        """Record a problem that a person should look at."""
        self.warnings.setdefault(year, []).append(problem)

    def must_be_equal(self, year: int, left: str, right: str, numbers: Mapping[str, int]) -> None:
        """Record the equation of two sums of named numbers, e.g. "crimes + rejects", and a failure if it is wrong."""
        total = {side: sum(numbers[name] for name in side.split(" + ")) for side in (left, right)}
        self.by_year[year] = dict(numbers)
        if total[left] != total[right]:
            self.fail(year, f"{left} is {total[left]:,}, but {right} is {total[right]:,}")

    def of(self, year: int) -> "Findings":
        """What was found of one year."""
        parts = (self.by_year, self.failures, self.warnings)
        return Findings(*({year: part[year]} if year in part else {} for part in parts))


@dataclass(frozen=True)
class Check:
    """One asset check.

    Attributes:
        asset, name: its key.
        description: what must hold.
        examine: looks at years.
        can_be_accepted: whether a person may let a year through that fails it.
        reads: tables that it reads besides the asset's own and those upstream.
    """

    asset: str
    name: str
    description: str
    examine: "Callable[[Examined, Sequence[int]], Findings]"
    can_be_accepted: bool = False
    reads: tuple[Table, ...] = ()

    @property
    def key(self) -> str:
        """Asset and name."""
        return f"{self.asset}:{self.name}"

    def evaluation(self, findings: Findings, year: int) -> AssetCheckEvaluation:
        """What Dagster records of a year: a failure is an error, any other problem a warning."""
        one = self.found(findings, year)
        return AssetCheckEvaluation(
            asset_key=AssetKey(self.asset),
            check_name=self.name,
            passed=one.outcome == "passed",
            severity=AssetCheckSeverity.ERROR if one.outcome == "failed" else AssetCheckSeverity.WARN,
            description=one.finding or None,
            metadata={"found": MetadataValue.json({str(year): findings.by_year.get(year)})},
            partition=str(year),
        )

    def found(self, findings: Findings, year: int) -> CheckFound:
        """What the catalog records of a year."""
        outcome = "failed" if year in findings.failures else "warning" if year in findings.warnings else "passed"
        problems = [*findings.failures.get(year, []), *findings.warnings.get(year, [])]
        return CheckFound(check=self.key, outcome=outcome, finding="; ".join(problems))


@dataclass
class Examined:
    """What checks look at.

    Attributes:
        warehouse, source_files, object_store: the parts of the installation.
        published: the years as they are published.
    """

    warehouse: Warehouse
    source_files: SourceFiles
    object_store: ObjectStore
    published: Callable[[], Mapping[int, PublishedYear]]
    _found: dict[tuple[str, int], tuple[object, Findings]] = field(default_factory=dict, init=False, repr=False)
    _measured: dict[tuple[object, ...], tuple[object, dict[str, Any]]] = field(
        default_factory=dict, init=False, repr=False
    )

    def findings(self, check: Check, years: Sequence[int]) -> dict[int, Findings]:
        """What a check finds, by year. Years whose tables did not change since are not examined again."""
        states = self._states(check, years)
        new = [year for year in years if self._found.get((check.key, year), (None,))[0] != states[year]]
        if new:
            fresh = check.examine(self, new)
            for year in new:
                self._found[check.key, year] = (states[year], fresh.of(year))
        return {year: self._found[check.key, year][1] for year in years}

    def stored(self, table: Table) -> dict[int, TableYear]:
        """What a table holds."""
        return self.warehouse.stored(table)

    def with_year_before(self, table: Table, years: Sequence[int]) -> tuple[list[int], list[int]]:
        """Those of the years that have rows and a year with rows before, and these years with the ones before."""
        stored = self.stored(table)
        compared = [year for year in years if all(y in stored and stored[y].rows for y in (year - 1, year))]
        return compared, sorted({y for year in compared for y in (year - 1, year)})

    def measure(self, table: Table, years: Sequence[int], measures: Mapping[str, str]) -> dict[int, dict[str, Any]]:
        """Aggregates over years of a table, as `Warehouse.measure`; what several checks need is computed once."""
        stored, keys = self.stored(table), {year: (table.name, year, *measures.values()) for year in years}
        if new := [year for year in years if self._measured.get(keys[year], ("",))[0] != stored.get(year)]:
            for year, values in self.warehouse.measure(table, new, measures).items():
                self._measured[keys[year]] = (stored.get(year), values)
        return {year: self._measured[keys[year]][1] for year in years}

    def manifests(self, years: Sequence[int]) -> dict[int, Manifest]:
        """The manifests of the years that have one."""
        found = {year: self.source_files.manifest(year) for year in years}
        return {year: manifest for year, manifest in found.items() if manifest}

    def _states(self, check: Check, years: Sequence[int]) -> dict[int, object]:
        table = TABLES.get(check.asset)
        tables = (*((table, *table.upstream) if table else ()), *check.reads)
        stored = [self.stored(one) for one in tables]
        published = self.published() if table is None else {}
        states: dict[int, object] = {}
        for year in years:
            states[year] = (
                self.source_files.readable_manifest(year),
                [one.get(year) for one in stored],
                published.get(year),
            )
        return states
