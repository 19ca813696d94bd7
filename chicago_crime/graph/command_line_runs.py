"""Runs in the command line's process: cancel them on signals, and detect those whose process died."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from dagster import DagsterExecutionInterruptedError, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from chicago_crime.errors import PlatformError
from chicago_crime.settings import Settings
from chicago_crime.storage.leases import abandoned, lease

LEASES = "command-line-runs"
"""Subfolder of the data directory with a file per running command, locked while it lives."""

REPEAT_AFTER_S = 0.05
"""Delay before a lost interrupt is sent again."""


class RunCanceledError(PlatformError):
    """A signal canceled the run. The exit code is 128 plus the signal number, as in a shell."""

    def __init__(self, run_id: str, number: int) -> None:
        name = signal.Signals(number).name
        super().__init__(f"Run {run_id} was canceled by {name}. Years that it had not published yet are unchanged.")
        self.exit_code = 128 + number


@contextmanager
def recorded(instance: DagsterInstance, settings: Settings, run_id: str) -> Iterator[None]:
    """Record how a run executed in the body ends, even if this process is killed.

    Raises:
        RunCanceledError: a signal canceled the run.
    """
    with lease(settings.data_dir / LEASES, run_id, "command-line run") as note, _signals() as received:
        try:
            yield
        except BaseException:
            if not received():
                raise
        finally:
            run = instance.get_run_by_id(run_id)
            if received() and run and not run.is_success:
                instance.report_run_canceled(run, "A signal interrupted the command line.")
                note.unlink()
            elif run is None or run.is_finished:
                note.unlink()
        if numbers := received():
            raise RunCanceledError(run_id, numbers[0])


def fail_dead_runs(instance: DagsterInstance, settings: Settings, no_ui_is_running: bool = False) -> None:
    """Mark runs whose process died as failed, so that they release their slots in the queue.

    If no UI is running, its runs are dead, too.
    """
    for note in abandoned(settings.data_dir / LEASES):
        run: DagsterRun | None = instance.get_run_by_id(note.name)
        if run and not run.is_finished:
            instance.report_run_failed(run, "The command line's process died.")
        note.unlink()
    if no_ui_is_running:
        of_command_lines = {note.name for note in (settings.data_dir / LEASES).glob("*")}
        working = [DagsterRunStatus.STARTING, DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
        for run in instance.get_runs(RunsFilter(statuses=working)):
            if run.run_id not in of_command_lines:
                instance.report_run_failed(run, "The UI that started it died.")


@contextmanager
def _signals() -> Iterator[Callable[[], bytes]]:
    """Let SIGTERM and SIGHUP interrupt the body as Ctrl-C does; yields a function that returns the signals received.

    Dagster replaces the handlers of SIGINT and SIGTERM during a run and does not report which signal arrived.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: b""
        return
    numbers = bytearray()
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)

    def received() -> bytes:
        try:
            while found := reader.recv(64):
                numbers.extend(found)
        except BlockingIOError:
            pass
        return bytes(number for number in numbers if number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP))

    def hang_up(number: int, frame: FrameType | None) -> None:
        signal.raise_signal(signal.SIGTERM)

    def repeat(lost: "sys.UnraisableHookArgs") -> None:
        # Python discards exceptions that a handler raises inside __del__ or a weak reference's callback.
        if isinstance(lost.exc_value, KeyboardInterrupt | DagsterExecutionInterruptedError):
            threading.Timer(REPEAT_AFTER_S, os.kill, (os.getpid(), signal.SIGTERM)).start()
        else:
            hook_before(lost)

    hook_before, sys.unraisablehook = sys.unraisablehook, repeat
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    with reader, writer:
        signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        if before[signal.SIGHUP] is not signal.SIG_IGN:  # nohup
            signal.signal(signal.SIGHUP, hang_up)
        try:
            yield received
        finally:
            signal.set_wakeup_fd(-1)
            sys.unraisablehook = hook_before
            for number, handler in before.items():
                signal.signal(number, handler)
