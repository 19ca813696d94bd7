"""Asking the warehouse: each answer once per state of the tables, and finding out what is loaded.

Here belongs what all pages share about asking. The SQL is in `sql/pages/`; what a page makes of an answer is in the
page's module.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

import pyarrow as pa

from chicago_crime.dashboard.check_results import CheckResult, check_results, null_counts
from chicago_crime.dashboard.facts import Facts, Year
from chicago_crime.errors import PlatformError
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
"""The tables that the pages cannot do without. A year is shown if all of them have it."""

ALSO_READ = (REJECTED_CRIMES, REVISIONS)

ANSWERS_KEPT = 64
SECONDS_BETWEEN_LOOKS = 2.0
"""For so long the tables are taken to be as they were: looking at a hundred files takes longer than most answers."""

Made = TypeVar("Made")
Versions = Mapping[str, Mapping[int, TableYear]]


class NothingLoadedError(PlatformError):
    """No year is in every table that the dashboard reads."""


class OutdatedError(PlatformError):
    """Some years were written by another version of this package."""


@dataclass
class Data:
    """The warehouse as the dashboard sees it.

    Attributes:
        warehouse: with the tables.
        source_files: whose manifests say where rows came from.
        dagster_home: where Dagster keeps what checks found.
    """

    warehouse: Warehouse
    source_files: SourceFiles
    dagster_home: Path
    _answers: OrderedDict[object, pa.Table] = field(default_factory=OrderedDict, init=False, repr=False)
    _derived: dict[str, object] = field(default_factory=dict, init=False, repr=False)
    _facts: tuple[Versions, Facts] | None = field(default=None, init=False, repr=False)
    _versions: Versions = field(default_factory=dict, init=False, repr=False)
    _looked_at: float = field(default=float("-inf"), init=False, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, init=False, repr=False)

    def stored(self) -> Versions:
        """What every table holds, by table and year."""
        with self._lock:
            if time.monotonic() - self._looked_at > SECONDS_BETWEEN_LOOKS:
                found = self.warehouse.stored_of_all(list(TABLES.values()))
                if found != self._versions:
                    self._versions = found
                    self._answers.clear()
                    self._derived.clear()
                self._looked_at = time.monotonic()
            return self._versions

    def answer(self, name: str, parameters: Mapping[str, object]) -> pa.Table:
        """The answer of a statement in `sql/pages/`; the same question is asked once per state of the tables."""
        versions = self.stored()
        key = (name, repr(sorted(parameters.items())))
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        rows = self.warehouse.answer(f"pages/{name}", parameters)
        with self._lock:
            if versions is self._versions:  # else the tables changed meanwhile: good for this once
                self._answers[key] = rows
                while len(self._answers) > ANSWERS_KEPT:
                    self._answers.popitem(last=False)
        return rows

    def derived(self, name: str, make: Callable[[], Made]) -> Made:
        """What takes long to make of answers: it is made once per state of the tables."""
        self.stored()
        with self._lock:
            if name not in self._derived:
                self._derived[name] = make()
            return cast(Made, self._derived[name])

    def nulls(self) -> dict[int, dict[str, int]]:
        """By year and column of `crimes`, the rows without a value, as the checks counted them when it was loaded.

        Counting would read every row, which BigQuery would be paid for. A year that was replaced since is left out.
        """
        held = self.stored()[CRIMES.name]
        counted = null_counts(self.dagster_home, held)
        return {year: counts for year, (at, counts) in counted.items() if at >= held[year].replaced_at}

    def facts(self) -> Facts:
        """What is loaded.

        Raises:
            NothingLoadedError: no year is whole.
            OutdatedError: years of another version of the package are among them.
        """
        versions = self.stored()
        with self._lock:
            if self._facts is None or self._facts[0] is not versions:
                self._facts = (versions, self._find_facts(versions))
            return self._facts[1]

    def checks(self) -> list[CheckResult]:
        """What the newest run of every check found: looked up each time, for checks end after their tables changed."""
        return check_results(self.dagster_home)

    def manifests(self) -> dict[int, Manifest]:
        """The manifests of the source files, by year."""
        found = {year: self.source_files.manifest(year) for year in self.source_files.years()}
        return {year: manifest for year, manifest in found.items() if manifest}

    def _find_facts(self, versions: Versions) -> Facts:
        held = [set(versions[table.name]) for table in NEEDED]
        complete, some = set.intersection(*held), set.union(*held)
        if old := {table: years for table in (*NEEDED, *ALSO_READ) if (years := self.warehouse.outdated(table))}:
            raise OutdatedError(_how_to_renew(old))
        if not complete:
            names = ", ".join(table.name for table, years in zip(NEEDED, held, strict=True) if not years)
            raise NothingLoadedError(f"Years {format_years(sorted(some))} lack {names}." if some else "")
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


def _how_to_renew(old: Mapping[Table, list[int]]) -> str:
    years = sorted({year for found in old.values() for year in found})
    names = ",".join(table.name for table in old)
    return (
        f"{names.replace(',', ', ')} of {format_years(years)} were written by another version of this package. "
        f"Compute them again: chicago-crime run --years {format_years(years)} --assets {names}"
    )
