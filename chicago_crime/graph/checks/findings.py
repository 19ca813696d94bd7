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
class Finding:
    """What a check found of one year.

    Attributes:
        found: what it looked at, as JSON.
        failures: problems that keep the year from being published.
        warnings: problems that a person should look at.
    """

    found: Any = None
    failures: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of_sums(cls, left: str, right: str, numbers: Mapping[str, int]) -> "Finding":
        """That two sums of named numbers, e.g. "crimes + rejects", are equal; a failure if they are not."""
        total = {side: sum(numbers[name] for name in side.split(" + ")) for side in (left, right)}
        wrong = f"{left} is {total[left]:,}, but {right} is {total[right]:,}"
        return cls(dict(numbers), [wrong] if total[left] != total[right] else [])


Findings = Mapping[int, Finding]
"""By year; a year that cannot be examined is left out."""


@dataclass(frozen=True)
class Check:
    """One asset check.

    Attributes:
        asset, name: its key.
        description: what must hold.
        examine: looks at years, and returns what it found of each.
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

    def evaluation(self, finding: Finding, year: int, accept: str | None) -> AssetCheckEvaluation:
        """What Dagster records of a year: a failure that is not accepted is an error, any other problem a warning."""
        one = self.found(finding, accept)
        return AssetCheckEvaluation(
            asset_key=AssetKey(self.asset),
            check_name=self.name,
            passed=one.outcome == "passed",
            severity=AssetCheckSeverity.ERROR if one.outcome == "failed" else AssetCheckSeverity.WARN,
            description=one.finding or None,
            metadata={"found": MetadataValue.json({str(year): finding.found})},
            partition=str(year),
        )

    def found(self, finding: Finding, accept: str | None) -> CheckFound:
        """What the catalog records of a year; `accept` is the reason that lets some failures through."""
        outcome = "warning" if finding.warnings else "passed"
        if finding.failures:
            outcome = "accepted" if accept and self.can_be_accepted else "failed"
        return CheckFound(check=self.key, outcome=outcome, finding="; ".join([*finding.failures, *finding.warnings]))


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
    _found: dict[tuple[str, int], tuple[object, Finding]] = field(default_factory=dict, init=False, repr=False)
    _measured: dict[tuple[object, ...], tuple[object, dict[str, Any]]] = field(
        default_factory=dict, init=False, repr=False
    )

    def findings(self, check: Check, years: Sequence[int]) -> Findings:
        """What a check finds, by year. Years whose tables did not change since are not examined again."""
        states = self._states(check, years)
        new = [year for year in years if self._found.get((check.key, year), (None,))[0] != states[year]]
        if new:
            fresh = check.examine(self, new)
            for year in new:
                self._found[check.key, year] = (states[year], fresh.get(year, Finding()))
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
