"""What the pages read: answers from the warehouse, cached until a table changes, and the results of asset checks.

The SQL is in `sql/pages/`; each page's module turns the answers into what it shows.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import pyarrow as pa

from chicago_crime.errors import PlatformError
from chicago_crime.installation import Installation
from chicago_crime.intake.source_files import Manifest, SourceFiles
from chicago_crime.storage.warehouse import TableYear, Warehouse
from chicago_crime.tables import (
    AREA_RATES,
    CRIMES,
    CRIMES_BY_CELL,
    CRIMES_DAILY,
    CRIMES_HOURLY,
    CRIMES_MONTHLY,
    ENRICHED_CRIMES,
    REJECTED_CRIMES,
    REVISIONS,
    TABLES,
    Table,
)
from chicago_crime.tables.years import format_years

NEEDED = (ENRICHED_CRIMES, CRIMES_DAILY, CRIMES_MONTHLY, CRIMES_HOURLY, CRIMES_BY_CELL, AREA_RATES)
"""Tables that every page depends on. A year is shown only if all of them have it."""

ALSO_READ = (REJECTED_CRIMES, REVISIONS)

ANSWERS_KEPT = 64
REFRESH_SECONDS = 2.0
"""How long the list of stored years is reused: reading it from disk takes longer than most answers."""

DAGSTER_CONFIG = "dagster.yaml"
MAX_RECORDS = 1000
"""How far back the history of a check is read for years that were loaded long ago."""

Derived = TypeVar("Derived")
Versions = Mapping[str, Mapping[int, TableYear]]


class NothingLoadedError(PlatformError):
    """No year is in every table that the dashboard reads."""


class OutdatedError(PlatformError):
    """Some years were written by another version of this package."""


@dataclass(frozen=True)
class Year:
    """One loaded year: its first and last day with a crime, and its first provisional day if it has any."""

    first_day: date
    last_day: date
    provisional_from: date | None
    crimes: int

    @property
    def is_complete(self) -> bool:
        """Whether its data runs to 31 December."""
        return (self.last_day.month, self.last_day.day) == (12, 31)

    @property
    def complete_months(self) -> int:
        """How many of its months are complete."""
        return self.last_day.month - (0 if (self.last_day + timedelta(1)).day == 1 else 1)


@dataclass(frozen=True)
class Facts:
    """What is loaded, and the values that filters can take.

    Attributes:
        years: those in every table that the pages read.
        incomplete: years that only some of these tables have.
        synthetic: years of sample data.
        types: comparable labels, most frequent first.
        source_types: the source's labels, most frequent first.
        merged: source label -> comparable label, where the two differ.
        districts: district numbers.
        areas: number of a community area -> its name.
        sides: number of a community area -> its side of the city.
        residents: (year, community area) -> residents.
        few_residents: (year, community area) with too few residents for a meaningful rate.
    """

    years: dict[int, Year]
    incomplete: list[int]
    synthetic: list[int]
    types: list[str]
    source_types: list[str]
    merged: dict[str, str]
    districts: list[int]
    areas: dict[int, str]
    sides: dict[int, str]
    residents: dict[tuple[int, int], float]
    few_residents: set[tuple[int, int]]

    @property
    def newest_day(self) -> date:
        """The newest day with a crime."""
        return self.years[max(self.years)].last_day

    @property
    def first_day(self) -> date:
        """The oldest day with a crime."""
        return self.years[min(self.years)].first_day

    @property
    def areas_by_name(self) -> list[tuple[int, str]]:
        """Numbers and names of the community areas, sorted by name."""
        return sorted(self.areas.items(), key=lambda area: area[1])


Outcome = Literal["failed", "warning", "did not run", "running", "passed"]
OUTCOMES: tuple[Outcome, ...] = ("failed", "warning", "did not run", "running", "passed")
"""Outcomes of a check, in the order in which the page lists them."""


@dataclass(frozen=True)
class CheckResult:
    """The newest result of one asset check."""

    asset: str
    check: str
    outcome: Outcome
    at: datetime
    description: str


@dataclass
class Data:
    """The warehouse as the dashboard sees it.

    Attributes:
        warehouse: holds the tables.
        source_files: their manifests say where rows came from.
        dagster_home: where Dagster records the results of checks; only read.
    """

    warehouse: Warehouse
    source_files: SourceFiles
    dagster_home: Path
    _answers: OrderedDict[object, pa.Table] = field(default_factory=OrderedDict, init=False, repr=False)
    _derived: dict[str, object] = field(default_factory=dict, init=False, repr=False)
    _versions: Versions = field(default_factory=dict, init=False, repr=False)
    _refreshed_at: float = field(default=float("-inf"), init=False, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    @classmethod
    def of(cls, installation: Installation) -> "Data":
        """The data of an installation."""
        return cls(installation.warehouse, installation.source_files, installation.settings.home)

    def stored(self) -> Versions:
        """What every table holds, by table and year."""
        with self._lock:
            if time.monotonic() - self._refreshed_at > REFRESH_SECONDS:
                found = self.warehouse.stored_of_all(list(TABLES.values()))
                if found != self._versions:
                    self._versions = found
                    self._answers.clear()
                    self._derived.clear()
                self._refreshed_at = time.monotonic()
            return self._versions

    def answer(self, name: str, parameters: Mapping[str, object]) -> pa.Table:
        """The result of a statement in `sql/pages/`, run once per state of the tables."""
        versions = self.stored()
        key = (name, repr(sorted(parameters.items())))
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        rows = self.warehouse.answer(f"pages/{name}", parameters)
        with self._lock:
            if versions is self._versions:  # else a table changed meanwhile, and the result must not be reused
                self._answers[key] = rows
                while len(self._answers) > ANSWERS_KEPT:
                    self._answers.popitem(last=False)
        return rows

    def derived(self, name: str, make: Callable[[], Derived]) -> Derived:
        """A value that is expensive to compute from answers, computed once per state of the tables."""
        with self._lock:
            versions = self.stored()
            if name in self._derived:
                return cast(Derived, self._derived[name])
            value = make()
            if versions is self._versions:
                self._derived[name] = value
            return value

    def facts(self) -> Facts:
        """What is loaded.

        Raises:
            NothingLoadedError: no year is in all needed tables.
            OutdatedError: some years were written by another version of the package.
        """
        return self.derived("facts", lambda: self._find_facts(self.stored()))

    def manifests(self) -> dict[int, Manifest]:
        """The manifests of the source files, by year."""
        found = {year: self.source_files.manifest(year) for year in self.source_files.years()}
        return {year: manifest for year, manifest in found.items() if manifest}

    def check_results(self) -> list[CheckResult]:
        """The newest result of each check that was ever planned, most urgent first. Never cached: checks end last."""
        if not (self.dagster_home / DAGSTER_CONFIG).exists():
            return []
        keys, _, _ = _check_keys()
        from dagster import AssetCheckSeverity, DagsterInstance

        results = []
        with DagsterInstance.from_config(str(self.dagster_home)) as instance:
            for key, record in instance.event_log_storage.get_latest_asset_check_execution_by_key(keys).items():
                evaluation = _evaluation(record)
                outcome: Outcome = "passed"
                if evaluation is None:  # planned: it stays so for ever if its run fails before it
                    run = instance.get_run_by_id(record.run_id)
                    outcome = "running" if run and not run.is_finished else "did not run"
                elif not evaluation.passed:
                    outcome = "failed" if evaluation.severity == AssetCheckSeverity.ERROR else "warning"
                at = datetime.fromtimestamp(record.create_timestamp)
                description = (evaluation.description or "") if evaluation else ""
                results.append(CheckResult(key.asset_key.to_user_string(), key.name, outcome, at, description))
        return sorted(results, key=lambda result: (OUTCOMES.index(result.outcome), result.asset, result.check))

    def nulls(self) -> dict[int, dict[str, int]]:
        """NULLs in `crimes` by year and column, as a check counted them when the year was loaded.

        Counting them here would scan every row, which BigQuery bills. A year replaced since is left out.
        """
        held = self.stored()[CRIMES.name]
        counted = self._null_counts().items()
        return {year: counts for year, (at, counts) in counted if year in held and at >= held[year].replaced_at}

    def _null_counts(self) -> dict[int, tuple[float, dict[str, int]]]:
        """By year, when a check last counted the NULLs of `crimes`, in epoch seconds, and its counts by column."""
        if not (self.dagster_home / DAGSTER_CONFIG).exists():
            return {}
        _, key, entry = _check_keys()
        from dagster import DagsterInstance, JsonMetadataValue

        found: dict[int, tuple[float, dict[str, int]]] = {}
        with DagsterInstance.from_config(str(self.dagster_home)) as instance:
            for record in instance.event_log_storage.get_asset_check_execution_history(key, MAX_RECORDS):
                evaluation = _evaluation(record)
                metadata = evaluation.metadata.get(entry) if evaluation else None
                if record.event and isinstance(metadata, JsonMetadataValue):
                    for year, counts in cast(dict[str, dict[str, int]], metadata.data).items():
                        found.setdefault(int(year), (record.event.timestamp, counts))
        return found

    def _find_facts(self, versions: Versions) -> Facts:
        held = [set(versions[table.name]) for table in NEEDED]
        complete, some = set.intersection(*held), set.union(*held)
        if old := {table: years for table in (*NEEDED, *ALSO_READ) if (years := self.warehouse.outdated(table))}:
            raise OutdatedError(_how_to_rebuild(old))
        if not complete:
            names = ", ".join(table.name for table, years in zip(NEEDED, held, strict=True) if not years)
            missing = f" in {names}" if names else " in some tables"
            raise NothingLoadedError(f"{format_years(sorted(some))}: missing{missing}." if some else "")
        days = self.answer("days", {}).to_pylist()
        choices = self.answer("choices", {}).to_pylist()
        residents = sorted(
            self.answer("residents", {}).to_pylist(), key=lambda row: (row["year"], row["community_area"])
        )
        comparable: dict[str, int] = {}
        for row in (row for row in choices if row["primary_type_comparable"]):
            name = row["primary_type_comparable"]
            comparable[name] = comparable.get(name, 0) + row["crimes"]
        source = {row["primary_type"]: row["crimes"] for row in choices if row["primary_type"]}
        return Facts(
            years={
                row["year"]: Year(row["first_day"], row["last_day"], row["provisional_from"], row["crimes"])
                for row in sorted(days, key=lambda row: row["year"])
                if row["year"] in complete
            },
            incomplete=sorted(some - complete),
            synthetic=sorted(year for year, manifest in self.manifests().items() if manifest.synthetic),
            types=sorted(comparable, key=lambda name: (-comparable[name], name)),
            source_types=sorted(source, key=lambda name: (-source[name], name)),
            merged={
                row["primary_type"]: row["primary_type_comparable"]
                for row in choices
                if row["primary_type"] and row["primary_type"] != row["primary_type_comparable"]
            },
            districts=sorted({row["district"] for row in choices if row["district"] is not None}),
            areas={row["community_area"]: row["community_area_name"] for row in residents},
            sides={row["community_area"]: row["side"] for row in residents},
            residents={(row["year"], row["community_area"]): row["population"] for row in residents},
            few_residents={(row["year"], row["community_area"]) for row in residents if row["is_small_population"]},
        )


def _check_keys() -> tuple[list[Any], Any, str]:
    """The keys of all checks, the key of the one that counts NULLs, and the metadata entry with its counts."""
    from chicago_crime.graph.checks.layers import NULLS, all_checks, is_like_the_year_before

    [counts_nulls] = is_like_the_year_before.check_keys
    return [key for check in all_checks() for key in check.check_keys], counts_nulls, NULLS


def _evaluation(record: Any) -> Any:
    """The result in Dagster's record of a check; None if the check was planned and has not ended."""
    return record.evaluation if record.status.value in ("SUCCEEDED", "FAILED") else None


def _how_to_rebuild(old: Mapping[Table, list[int]]) -> str:
    years = sorted({year for found in old.values() for year in found})
    names = ",".join(table.name for table in old)
    return (
        f"{names.replace(',', ', ')} of {format_years(years)} were written by another version of this package. "
        f"Rebuild them: chicago-crime run --years {format_years(years)} --assets {names}"
    )
