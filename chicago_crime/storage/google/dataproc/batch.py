"""A PySpark program as a batch: Google finds the machines, there is no cluster.

Here belongs what a batch is asked for with, and its life.
"""

import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from google.api_core import exceptions
from google.cloud.dataproc_v1 import Batch
from google.cloud.dataproc_v1.types import AuthenticationConfig

from chicago_crime.storage.google.dataproc.api import DataprocApi, RefusedError
from chicago_crime.storage.google.dataproc.work import Launch, Log, Work, WorkState, start_id
from chicago_crime.storage.spark import SparkError

RUNTIME = "3.0"
"""Spark 4.0, Python 3.12, Java 21."""

_OVER = {Batch.State.SUCCEEDED, Batch.State.FAILED, Batch.State.CANCELLED}


@dataclass(frozen=True)
class BatchWork(Work):
    """Runs each start of a program as a batch.

    Attributes:
        api: where.
        bucket: where Google keeps what the program prints. By default it is a bucket of Google's making, of which the
            platform's account has no rights.
        max_minutes: after so long Google ends it.
        service_account: as whom it works; None for whoever started it.
        subnet: its subnetwork; None for the region's default.
        end_patience_s: seconds that a cancellation may take.
    """

    api: DataprocApi
    bucket: str
    max_minutes: int
    service_account: str | None = None
    subnet: str | None = None
    end_patience_s: float = 600

    def find(self, name: str, number: int) -> WorkState | None:
        """See `Work.find`."""
        batch = self._batch(start_id(name, number))
        if batch is None:
            return None
        is_good = batch.state == Batch.State.SUCCEEDED
        output = batch.runtime_info.output_uri
        return WorkState(batch.state.name, batch.state in _OVER, is_good, batch.state_message, output)

    def start(self, name: str, number: int, launch: Launch, log: Log) -> None:
        """See `Work.start`."""
        id_ = start_id(name, number)
        execution: dict[str, Any] = {"ttl": {"seconds": self.max_minutes * 60}, "staging_bucket": self.bucket}
        if self.service_account:
            execution["service_account"] = self.service_account
            own = AuthenticationConfig.AuthenticationType.SERVICE_ACCOUNT
            execution["authentication_config"] = {"user_workload_authentication_type": own}
        if self.subnet:
            execution["subnetwork_uri"] = self.subnet
        batch = {
            "labels": dict(launch.labels),
            "pyspark_batch": {
                "main_python_file_uri": launch.main,
                "python_file_uris": list(launch.modules),
                "args": list(launch.arguments),
            },
            "runtime_config": {"version": RUNTIME},
            "environment_config": {"execution_config": execution},
        }
        request = {
            "parent": f"projects/{self.api.project}/locations/{self.api.region}",
            "batch": batch,
            "batch_id": id_,
            "request_id": launch.request_id(id_),
        }
        try:
            self.api.call(self.api.batches.create_batch, request)
        except exceptions.Conflict:
            log(f"the batch {id_} was started already")
        log(f"started the batch {id_}: its log is at {self.page(name, number)}")

    def end(self, name: str, log: Log) -> str:
        """See `Work.end`. Batches stay in Google's list, where they cost nothing."""
        number = 0
        while self._see_it_over(start_id(name, number), log):
            number += 1
        return ""

    def _see_it_over(self, id_: str, log: Log) -> bool:
        """Cancel a batch if need be and wait until it is over; False if there is none of this id."""
        start, is_asked = time.monotonic(), False
        try:
            while (batch := self._batch(id_)) and batch.state not in _OVER:
                if time.monotonic() - start > self.end_patience_s:
                    raise SparkError(f"it is still {batch.state.name}")
                if not is_asked:
                    log(f"cancelling the batch {id_}")
                    self._cancel(batch.operation)
                    is_asked = True
                self.api.pause(start)
        except SparkError as error:
            raise SparkError(
                f"the batch {id_} could not be cancelled: {error}. Cancel it by hand: gcloud dataproc batches cancel "
                f"{id_} --region {self.api.region} --project {self.api.project}. Google does it after "
                f"{self.max_minutes} minutes at the latest."
            ) from error
        return batch is not None

    def page(self, name: str, number: int) -> str:
        """See `Work.page`."""
        path = f"{self.api.region}/{start_id(name, number)}"
        return f"https://console.cloud.google.com/dataproc/batches/{path}?project={self.api.project}"

    def _cancel(self, operation: str) -> None:
        with suppress(exceptions.NotFound, exceptions.Conflict, RefusedError):  # over meanwhile
            self.api.call(self.api.batches.cancel_operation, {"name": operation})

    def _batch(self, id_: str) -> Batch | None:
        place = f"projects/{self.api.project}/locations/{self.api.region}"
        return self.api.find(self.api.batches.get_batch, {"name": f"{place}/batches/{id_}"})
