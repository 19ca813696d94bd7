"""What the newest run of every asset check found, and what checks counted, read from Dagster's own records."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from dagster import DagsterInstance

CONFIG_FILE = "dagster.yaml"

_RECORDS_AT_ONCE = 50
_MOST_RECORDS = 1000
"""So many runs of a check are looked through for years that were loaded long ago."""


@dataclass(frozen=True)
class CheckResult:
    """The newest result of one check: passed is None while it has not ended."""

    asset: str
    check: str
    passed: bool | None
    is_error: bool
    at: datetime
    found: str


def check_results(home: Path) -> list[CheckResult]:
    """The newest result of each check that ever ran, by asset; nothing where Dagster has no records yet.

    Args:
        home: the folder where Dagster keeps them. It is read only.
    """
    if not (home / CONFIG_FILE).exists():
        return []
    # The graph and Dagster's storage take a second to import, which no other page should wait for.
    from dagster import AssetCheckSeverity

    from chicago_crime.graph.checks.layers import all_checks

    keys = [key for check in all_checks() for key in check.check_keys]
    with _records(home) as instance:
        records = instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    results = []
    for key, record in records.items():
        evaluation = record.evaluation
        results.append(
            CheckResult(
                key.asset_key.to_user_string(),
                key.name,
                evaluation.passed if evaluation else None,
                bool(evaluation and evaluation.severity == AssetCheckSeverity.ERROR),
                datetime.fromtimestamp(record.create_timestamp),
                (evaluation.description or "") if evaluation else "",
            )
        )
    return sorted(results, key=lambda result: (result.passed is True, result.asset, result.check))


def null_counts(home: Path, years: Collection[int]) -> dict[int, tuple[float, dict[str, int]]]:
    """By year, when the values missing in `crimes` were last counted, in epoch seconds, and how many by column.

    Args:
        home: the folder where Dagster keeps its records. It is read only.
        years: which years are asked for; those that no check counted are left out.
    """
    if not (home / CONFIG_FILE).exists():
        return {}
    from dagster import JsonMetadataValue

    from chicago_crime.graph.checks.layers import NULLS, is_like_the_year_before

    [key] = is_like_the_year_before.check_keys
    found: dict[int, tuple[float, dict[str, int]]] = {}
    with _records(home) as instance:
        cursor = None
        for _ in range(0, _MOST_RECORDS, _RECORDS_AT_ONCE):
            records = instance.event_log_storage.get_asset_check_execution_history(key, _RECORDS_AT_ONCE, cursor)
            for record in records:
                told = record.evaluation.metadata.get(NULLS) if record.evaluation else None
                if isinstance(told, JsonMetadataValue) and record.event:
                    by_year = cast(dict[str, dict[str, int]], told.data)
                    for year, counts in by_year.items():
                        found.setdefault(int(year), (record.event.timestamp, counts))
            if len(records) < _RECORDS_AT_ONCE or found.keys() >= set(years):
                break
            cursor = records[-1].id
    return {year: found[year] for year in years if year in found}


@contextmanager
def _records(home: Path) -> Iterator["DagsterInstance"]:
    from dagster import DagsterInstance

    with DagsterInstance.from_config(str(home)) as instance:
        yield instance
