"""How runs are started on a server, where the code location is a container of its own: `deploy/dagster.yaml` names it.

Dagster's default launcher has the code location start a process for each run, and never asks afterwards: when the whole
container is gone, its runs would be "started" for ever and keep their places in the queue. Here is what asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dagster import DagsterRun
from dagster._core.errors import DagsterLaunchFailedError, DagsterUserCodeUnreachableError
from dagster._core.launcher.base import CheckRunHealthResult, LaunchRunContext, WorkerStatus
from dagster._core.launcher.default_run_launcher import DefaultRunLauncher
from dagster._grpc.types import CanCancelExecutionRequest, CanCancelExecutionResult
from dagster._serdes import deserialize_value

if TYPE_CHECKING:
    from dagster._grpc.client import DagsterGrpcClient


TIMEOUT_S = 10

IS_STOPPING = "after telling it to shut down"
"""What a code location answers that is being stopped and lets its runs end first; there is no other sign of it."""


class WatchedRunLauncher(DefaultRunLauncher):
    """The default launcher, whose runs the run monitoring looks after.

    A run that the code location does not know (any more) is lost: it is marked as failed, and `run_retries` may start
    it again. While the code location cannot be reached nothing is decided: its runs may be well, or it is starting.
    """

    def launch_run(self, context: LaunchRunContext) -> None:
        """Start a run. One that a stopping code location refuses goes back into the queue, and is no failure."""
        try:
            super().launch_run(context)
        except DagsterLaunchFailedError as error:
            if IS_STOPPING in str(error):
                raise DagsterUserCodeUnreachableError("the code location is being stopped") from error
            raise

    @property
    def supports_check_run_worker_health(self) -> bool:
        """Makes the run monitoring ask."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Ask the code location whether it has a process for a run that has started."""
        client: DagsterGrpcClient | None = self._get_grpc_client_for_termination(run.run_id)
        if client is None:
            return CheckRunHealthResult(WorkerStatus.RUNNING, "no code location started it: it is a command line's")
        try:
            answer = client.can_cancel_execution(CanCancelExecutionRequest(run_id=run.run_id), timeout=TIMEOUT_S)
        except DagsterUserCodeUnreachableError as error:
            return CheckRunHealthResult(WorkerStatus.RUNNING, f"the code location does not answer: {error}")
        if deserialize_value(answer, CanCancelExecutionResult).can_cancel:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the code location has no process for it: it was restarted")
