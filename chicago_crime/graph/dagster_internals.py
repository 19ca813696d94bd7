"""All code that depends on Dagster's private modules: tags of year ranges, a faster event log, a safer run launcher."""

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from dagster import AssetKey, AssetRecordsFilter, DagsterEventType, DagsterInstance, DagsterRun, EventLogEntry
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION
from dagster._core.errors import DagsterLaunchFailedError, DagsterUserCodeUnreachableError
from dagster._core.instance.ref import InstanceRef
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._core.scheduler.instigation import TickStatus
from dagster._core.storage.event_log.sqlite import SqliteEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.noop_compute_log_manager import NoOpComputeLogManager
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import ConfigurableClassData, deserialize_value
from dagster._utils.error import SerializableErrorInfo
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.event import listen
from typing_extensions import override

RECORDED_ITSELF = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}
"""Result metadata that keeps Dagster from recording a materialization, because the step has recorded its own."""

DATA_VERSION_TAG = "dagster/data_version"
PARTITION_NAME_TAG = "dagster/partition"
ASSET_PARTITION_RANGE_START_TAG = "dagster/asset_partition_range_start"
ASSET_PARTITION_RANGE_END_TAG = "dagster/asset_partition_range_end"
"""Tags of runs and materializations, as Dagster documents them."""

BATCH_SIZE = "DAGSTER_EVENT_BATCH_SIZE"
"""Environment variable with Dagster's maximum batch size for storing events."""

HEALTH_TIMEOUT_S = 10

MAX_TICK_S = 3600
"""Upper bound of a tick's duration, because Dagster filters ticks by start time."""

IS_STOPPING = "after telling it to shut down"
"""Part of Dagster's error message when a code location is shutting down, for which it has no exception class."""


def range_tags(first: int, last: int) -> dict[str, str]:
    """Return the tags of a run of a range of years."""
    return {ASSET_PARTITION_RANGE_START_TAG: str(first), ASSET_PARTITION_RANGE_END_TAG: str(last)}


def years_in_tags(tags: Mapping[str, str]) -> list[int]:
    """Return the years of a run of one partition or a range; [] if it has no partitions."""
    first = tags.get(ASSET_PARTITION_RANGE_START_TAG) or tags.get(PARTITION_NAME_TAG)
    last = tags.get(ASSET_PARTITION_RANGE_END_TAG) or first
    return list(range(int(first), int(last) + 1)) if first and last else []


def failed_or_skipped_ticks(instance: DagsterInstance, since: float, until: float) -> Iterator[str]:
    """Yield a line for each skipped or failed tick of a schedule, and failed tick of a sensor, in a period."""
    for state in instance.all_instigator_state():
        wrong = [TickStatus.FAILURE]
        if state.instigator_type is InstigatorType.SCHEDULE:
            wrong.append(TickStatus.SKIPPED)
        began = since - MAX_TICK_S
        for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, after=began, statuses=wrong):
            if not since < (tick.end_timestamp or tick.timestamp) <= until:
                continue
            reason = tick.skip_reason or (message_of(tick.error) if tick.error else "skipped")
            yield f"{state.name}: {reason}"


def message_of(error: SerializableErrorInfo) -> str:
    """Return the message of the error that Dagster's own errors wrap, without the class name."""
    while error.cause and error.message.startswith("dagster."):
        error = error.cause
    name, _, message = error.message.strip().partition(": ")
    return message if name.endswith(f".{error.cls_name}") else error.message.strip()


def latest_materializations(
    instance: DagsterInstance, asset: str, years: Sequence[int]
) -> dict[int, AssetCheckEvaluationTargetMaterializationData]:
    """Return the latest materialization of each of these years that has one."""
    key, partitions = AssetKey(asset), {str(year) for year in years}
    ids = instance.get_latest_storage_id_by_partition(key, DagsterEventType.ASSET_MATERIALIZATION, partitions)
    wanted = AssetRecordsFilter(key, storage_ids=[*ids.values()])
    records = instance.fetch_materializations(wanted, limit=len(ids)).records if years and ids else ()
    return {
        int(str(one.partition_key)): AssetCheckEvaluationTargetMaterializationData(
            storage_id=one.storage_id, run_id=one.run_id, timestamp=one.timestamp
        )
        for one in records
    }


def open_with_batches(home: str) -> DagsterInstance:
    """Open the instance of a Dagster home for runs in this process.

    Unless other storage is configured, it uses a `BatchingEventLog` and does not capture compute logs: Dagster starts
    four processes to capture them, two of which end with a traceback on Ctrl-C.
    """
    configured = InstanceRef.from_dir(home)
    events, overrides = configured.event_storage_data, dict[str, Any]()
    if events and events.class_name == SqliteEventLogStorage.__name__:
        # It writes the same files, so Dagster's own class can read them.
        overrides["event_log_storage"] = _configured(BatchingEventLog, events.config_dict)
        os.environ.setdefault(BATCH_SIZE, "1000")
    if configured.compute_logs_data.class_name == LocalComputeLogManager.__name__:
        overrides["compute_logs"] = _configured(NoOpComputeLogManager, {})
    return DagsterInstance.from_ref(InstanceRef.from_dir(home, overrides=overrides))


def _configured(storage: type, config: Mapping[str, Any]) -> dict[str, Any]:
    return {"module": storage.__module__, "class": storage.__name__, "config": config}


class BatchingEventLog(SqliteEventLogStorage):
    """A `SqliteEventLogStorage` with cached connections and table names, and one transaction per batch.

    Dagster's own class recompiles each statement and closes the connection after each event, which makes SQLite write
    out the database file.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._lock = threading.RLock()
        self._engines: dict[str, Engine] = {}
        self._open: dict[str, Connection] = {}
        self._tables: set[str] = set()
        super().__init__(base_dir, inst_data)

    @override
    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "BatchingEventLog":
        return cls(inst_data=inst_data, **config_value)

    @override
    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        with self.run_connection(events[0].run_id), self.index_connection():  # shared by all events of the batch
            super().store_event_batch(events)

    @override
    def has_table(self, table_name: str) -> bool:
        if table_name not in self._tables and super().has_table(table_name):  # opens the database on each call
            self._tables.add(table_name)
        return table_name in self._tables

    @override
    def dispose(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        super().dispose()

    @override
    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._lock:
            if shard in self._open:
                yield self._open[shard]
                return
            if shard not in self._engines:
                with super()._connect(shard):  # creates the tables if necessary
                    timeout = {"timeout": SQLITE_BUSY_TIMEOUT_SECONDS}
                    self._engines[shard] = create_engine(self.conn_string_for_shard(shard), connect_args=timeout)
                    # After a power cut, the last events may be missing, but no database is damaged.
                    listen(self._engines[shard], "connect", lambda one, _: one.execute("PRAGMA synchronous=NORMAL"))
            with self._engines[shard].begin() as connection:
                self._open[shard] = connection
                try:
                    yield connection
                finally:
                    del self._open[shard]
        os.utime(self.path_for_shard(shard))  # the UI watches this file, but SQLite wrote to the write-ahead log


class WatchedRunLauncher(DefaultRunLauncher):
    """Dagster's default launcher with health checks, for servers whose code location runs in a separate container.

    The default launcher never checks a run's process: when the container stops, its runs stay "started" forever and
    block the queue. This one reports a run as lost if the code location has no process for it; Dagster then marks it as
    failed, and `run_retries` may restart it. Runs are considered healthy while the code location is unreachable.
    """

    @override
    def launch_run(self, context: LaunchRunContext) -> None:
        try:
            super().launch_run(context)
        except DagsterLaunchFailedError as error:
            if IS_STOPPING in str(error):  # requeue the run instead of failing it
                raise DagsterUserCodeUnreachableError("the code location is shutting down") from error
            raise

    @property
    @override
    def supports_check_run_worker_health(self) -> bool:
        return True

    @override
    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        client = self._get_grpc_client_for_termination(run.run_id)
        if client is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "started by a command line, not by a code location")
        try:
            request = CanCancelExecutionRequest(run_id=run.run_id)
            response = client.can_cancel_execution(request, timeout=HEALTH_TIMEOUT_S)
        except DagsterUserCodeUnreachableError as error:
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"the code location does not respond: {error}")
        if deserialize_value(response, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the code location restarted and has no process for it")
