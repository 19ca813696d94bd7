"""What the newest run of every asset check found, read from Dagster's own records."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

CONFIG_FILE = "dagster.yaml"


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
    from dagster import AssetCheckSeverity, DagsterInstance

    from chicago_crime.checks import all_checks

    keys = [key for check in all_checks() for key in check.check_keys]
    with DagsterInstance.from_config(str(home)) as instance:
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
