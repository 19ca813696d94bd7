"""The alert sensor: one message with all problems since the last message."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

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
from chicago_crime.graph.dagster_internals import failed_or_skipped_ticks
from chicago_crime.graph.run import report_of
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import DamagedError, current
from chicago_crime.settings import SettingsError
from chicago_crime.storage.lineage import digest

Held = dict[str, Any]
"""The state of an address in a cursor."""

MINUTES = 5
MAX_LINES = 30
OVERLAP = timedelta(minutes=1)
"""How late Dagster may record the end of a run."""

ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]


@dataclass(frozen=True)
class AlertState:
    """What has been reported to an address, kept in the sensor's cursor.

    Attributes:
        until: end of the period covered, in epoch seconds.
        warnings: digests of reported run failures and check results, which each run of a year repeats.
        lasting: lines of the last period that are repeated while a problem lasts, such as an unreachable folder.
    """

    until: float
    warnings: tuple[str, ...] = ()
    lasting: Sequence[str] = ()


class UnreachableError(PlatformError):
    """No message can be sent to an address."""


def send(address: str, title: str, lines: list[str], files: Sequence[Path] = ()) -> None:
    """Send a message to an Apprise address, with files if the service supports attachments.

    Raises:
        UnreachableError: the address cannot be reached.
    """
    from apprise import Apprise  # slow to import

    more = [f"... and {len(lines) - MAX_LINES} more: see the UI"] if len(lines) > MAX_LINES else []
    recipient = Apprise()
    recipient.add(address)
    text, attached = "\n".join(lines[:MAX_LINES] + more), [str(file) for file in files]
    if not recipient.notify(text, title, attach=attached, body_format="text"):
        raise UnreachableError("the message could not be sent")


def send_to_each(addresses: str, send_one: Callable[[int, str], None]) -> str:
    """Call `send_one` with the number and text of each Apprise address.

    Returns:
        A message about addresses that could not be reached; "" if all were reached.

    Raises:
        SettingsError: an address is invalid.
        UnreachableError: no address could be reached.
    """
    from apprise import Apprise

    numbered = dict(enumerate(addresses.split(), 1))
    for number, address in numbered.items():
        if not Apprise.instantiate(address):  # not shown, because it may contain a password
            raise SettingsError(f"CHICAGO_CRIME_ALERTS: address {number} is not an address that Apprise supports")
    missed = []
    for number, address in numbered.items():
        try:
            send_one(number, address)
        except UnreachableError:
            missed.append(str(number))
    if len(missed) == len(numbered):
        raise UnreachableError("the message could not be sent to any address in CHICAGO_CRIME_ALERTS")
    return f"the message could not be sent to address {', '.join(missed)} in CHICAGO_CRIME_ALERTS" if missed else ""


def alerts(installation: Installation) -> list[SensorDefinition]:
    """Return the alert sensor, if the settings have an address."""
    if installation.settings.alerts is None:
        return []
    addresses = installation.settings.alerts.get_secret_value()

    @sensor(
        minimum_interval_seconds=MINUTES * 60,
        default_status=DefaultSensorStatus.RUNNING,
        description="Sends alerts about failed runs and checks, idle schedules, failed sensors and stale data.",
    )
    def send_alerts(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        now = datetime.now(UTC)

        def send_new(address: str, held: Held | None) -> tuple[AlertState, str]:
            if held is None:  # problems from before the first tick are not reported
                return AlertState(now.timestamp()), "started"
            lines, state = new_alerts(installation, context.instance, AlertState(**held), now)
            if lines:
                send(address, f"Chicago crime data: {len(lines)} alert{'s'[: len(lines) > 1]}", lines)
            return state, f"{len(lines)} alerts"

        return tick_of_each(addresses, context.cursor, send_new)

    return [send_alerts]


def tick_of_each(
    addresses: str, cursor: str | None, send_new: Callable[[str, Held | None], tuple[Any, str]]
) -> SensorResult:
    """Send each address what is new to it. An address that cannot be reached keeps its state, for the next tick.

    Args:
        addresses: Apprise addresses.
        cursor: the sensor's cursor, with the state of each address.
        send_new: receives an address and its state, None at first; returns the new state, and what was done.
    """
    states, done = json.loads(cursor or "{}"), dict[str, None]()

    def send_one(number: int, address: str) -> None:
        state, message = send_new(address, states.get(str(number)))
        states[str(number)] = asdict(state)
        done[message] = None

    missed = send_to_each(addresses, send_one)
    return SensorResult(skip_reason=missed or ", ".join(done), cursor=json.dumps(states))


def new_alerts(
    installation: Installation, instance: DagsterInstance, state: AlertState, now: datetime
) -> tuple[list[str], AlertState]:
    """Return a line for each new problem, and the new state."""
    since = datetime.fromtimestamp(state.until, UTC) - OVERLAP
    found: dict[str, str] = {}
    for record in instance.get_run_records(RunsFilter(statuses=ENDED, updated_after=since), ascending=True):
        run = record.dagster_run
        report = report_of(instance, run.run_id)
        if run.status is DagsterRunStatus.FAILURE:
            of_years = f" of {report.years}" if report.years else ""
            for reason in report.reasons or ["see the UI"]:
                found[digest(run.run_id, reason)] = f"Run {run.run_id[:8]}{of_years} failed: {reason}"
        for check in report.checks:
            if not (check.is_error and run.status is DagsterRunStatus.FAILURE):  # then it is among the reasons
                found[digest(check.text)] = check.text
    new = {key: text for key, text in found.items() if key not in state.warnings}
    ticks = failed_or_skipped_ticks(instance, state.until, now.timestamp())
    lasting = tuple(dict.fromkeys([*ticks, *_stale(installation, now)]))
    lines = [*new.values(), *(line for line in lasting if line not in state.lasting)]
    return lines, AlertState(now.timestamp(), (*state.warnings, *new)[-1000:], lasting)


def _stale(installation: Installation, now: datetime) -> Iterator[str]:
    """Yield a line if the current snapshot is stale or its catalog is damaged."""
    fresh_for = installation.source.fresh_for
    try:
        catalog = current(installation.object_store)
    except DamagedError as error:
        yield installation.settings.complete(str(error))
        return
    may_grow = catalog and any(year.source.get("details", {}).get("partial") for year in catalog.years.values())
    if catalog and may_grow and fresh_for and now - catalog.published_at > fresh_for:
        yield (
            f"Nothing has been published since {catalog.published_at:%Y-%m-%d}, but years from the "
            f"{installation.source.name} should be loaded every {fresh_for.days} days"
        )
