"""The sensor that sends word when something is wrong: one message for all that happened since the last."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    sensor,
)

from chicago_crime.errors import PlatformError
from chicago_crime.graph.dagster_internals import idle_ticks
from chicago_crime.graph.run import report_of
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import DamagedError, current
from chicago_crime.settings import SettingsError
from chicago_crime.storage.lineage import digest

MINUTES = 5
MOST_LINES = 30
OVERLAP = timedelta(minutes=1)
"""How long before the last message a run may have ended that Dagster had not recorded then."""

ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


@dataclass(frozen=True)
class Told:
    """What recipients know already.

    Attributes:
        until: runs and ticks that ended before this time (epoch seconds).
        warnings: digests of the failures of runs, and of the warnings of checks, which every run of a year repeats.
        stale: the snapshot of which they know that it is old.
    """

    until: float
    warnings: tuple[str, ...] = ()
    stale: str = ""


def send(addresses: str, title: str, lines: list[str], files: Sequence[Path] = ()) -> str:
    """Send a message, with files where that is possible, to all addresses, as Apprise reads them.

    Returns:
        Which of them could not be reached, in words; "" if all could.

    Raises:
        SettingsError: one of them is no address.
        PlatformError: none of them could be reached.
    """
    from apprise import Apprise  # slow to import, and only messages need it

    recipients = [Apprise() for _ in addresses.split()]
    for number, (one, address) in enumerate(zip(recipients, addresses.split(), strict=True), 1):
        if not one.add(address):  # it may contain a password, so it is not shown
            raise SettingsError(f"CHICAGO_CRIME_ALERTS: number {number} of its addresses is none that Apprise knows")
    more = [f"... and {len(lines) - MOST_LINES} more: see the UI"] if len(lines) > MOST_LINES else []
    text, attached = "\n".join(lines[:MOST_LINES] + more), [str(file) for file in files]
    missed = [str(number) for number, one in enumerate(recipients, 1) if not one.notify(text, title, attach=attached)]
    if len(missed) == len(recipients):
        raise PlatformError("a message could not be sent to any address of CHICAGO_CRIME_ALERTS")
    return f"it could not be sent to number {', '.join(missed)} of CHICAGO_CRIME_ALERTS" if missed else ""


def alerts(installation: Installation) -> list[SensorDefinition]:
    """The sensor, if the settings name somebody to tell."""
    if installation.settings.alerts is None:
        return []
    addresses = installation.settings.alerts.get_secret_value()

    @sensor(
        minimum_interval_seconds=MINUTES * 60,
        default_status=DefaultSensorStatus.RUNNING,
        description="Sends word of failed runs, checks, schedules that did nothing, and data that is not refreshed.",
    )
    def send_word(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        now = datetime.now(UTC)
        if context.cursor is None:  # what happened before anybody was to be told is past
            return SensorResult(skip_reason="from now on", cursor=json.dumps(asdict(Told(now.timestamp()))))
        told = Told(**json.loads(context.cursor))
        lines, told = news(installation, context.instance, told, now)
        title = f"Chicago crime data: {len(lines)} thing{'s'[: len(lines) > 1]} to look at"
        missed = send(addresses, title, lines) if lines else ""
        return SensorResult(skip_reason=missed or f"{len(lines)} told", cursor=json.dumps(asdict(told)))

    return [send_word]


def news(installation: Installation, instance: DagsterInstance, told: Told, now: datetime) -> tuple[list[str], Told]:
    """A line for each thing that is wrong and was not told yet, and what is told with them."""
    since = datetime.fromtimestamp(told.until, UTC) - OVERLAP
    found: dict[str, str] = {}
    for record in instance.get_run_records(RunsFilter(statuses=ENDED, updated_after=since), ascending=True):
        run = record.dagster_run
        report = report_of(instance, run)
        if run.status is DagsterRunStatus.FAILURE:
            of_years = f" of {report.years}" if report.years else ""
            for reason in report.reasons or ["see the UI"]:
                found[digest(run.run_id, reason)] = f"Run {run.run_id[:8]}{of_years} failed: {reason}"
        for check in report.checks:
            if not check.is_error:
                found[digest(check.asset, check.check, check.description)] = (
                    f"{check.asset}: {check.check}: {check.description}"
                )
    new = {key: text for key, text in found.items() if key not in told.warnings}
    lines = [*new.values()]
    lines += idle_ticks(instance, told.until, now.timestamp())
    stale = _stale(installation, now)
    if stale and stale[0] != told.stale:
        lines.append(stale[1])
    return lines, Told(now.timestamp(), (*told.warnings, *new)[-1000:], stale[0] if stale else "")


def _stale(installation: Installation, now: datetime) -> tuple[str, str] | None:
    """The current snapshot with a sentence, if it is damaged or the source should have been loaded again by now."""
    fresh_for = installation.source.fresh_for
    try:
        catalog = current(installation.object_store)
    except DamagedError as error:
        return "damaged", str(error)
    if not catalog or not fresh_for or now - catalog.published_at <= fresh_for:
        return None
    return catalog.snapshot, (
        f"Nothing was published since {catalog.published_at:%Y-%m-%d}: the source {installation.source.name} should be "
        f"loaded every {fresh_for.days} days"
    )
