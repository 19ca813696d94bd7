"""Tests of `chicago_crime/sources/http.py` against a server that drops connections."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import requests

from chicago_crime.sources.base import no_progress
from chicago_crime.sources.http import HttpError, download, set_timeout, with_retries
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.servers.kaggle_server import KaggleStorage

CONTENT = bytes(range(256)) * 12_000
QUICK = RetryPolicy(attempts=4, first_wait_s=0.01, max_wait_s=5, timeout_s=5)


@pytest.fixture
def storage() -> Iterator[KaggleStorage]:
    with KaggleStorage({"a.csv": CONTENT}).answering() as server:
        yield server


def get(storage: KaggleStorage, policy: RetryPolicy = QUICK) -> requests.Response:
    with set_timeout(requests.Session(), policy) as session:
        answer = session.get(storage.address_of("a.csv"), stream=True)
        answer.raise_for_status()
        return answer


def get_with_retries(storage: KaggleStorage) -> bytes:
    return with_retries(lambda: get(storage).content, "the storage", QUICK)


@pytest.mark.parametrize("status", [429, 503])
def test_transient_errors_are_retried(storage: KaggleStorage, status: int, caplog: pytest.LogCaptureFixture) -> None:
    storage.will(Fault(status=status), times=3)
    assert get_with_retries(storage) == CONTENT
    logged = [f"{record.levelname} {record.getMessage()}" for record in caplog.records]
    assert re.fullmatch(rf"WARNING the storage returned {status} \(.*\): retrying in \d+ s \(attempt 4\)", logged[-1])
    storage.will(Fault(status=status), times=4)
    with pytest.raises(HttpError, match=rf"the storage returned {status} \([\w ]+\) \(attempts: 4\)"):
        get_with_retries(storage)


def test_retry_after_is_respected(storage: KaggleStorage) -> None:
    start, now = time.monotonic(), datetime.now(UTC)
    due = now.replace(microsecond=0) + timedelta(seconds=2)  # dates have whole seconds
    storage.will(Fault(status=429, retry_after=format_datetime(due, usegmt=True)))
    assert get_with_retries(storage) == CONTENT
    assert storage.requests[1].at - start >= 1


def test_an_invalid_retry_after_is_ignored_and_a_long_one_is_an_error(storage: KaggleStorage) -> None:
    storage.will(Fault(status=429, retry_after="soon"))
    assert get_with_retries(storage) == CONTENT
    storage.will(Fault(status=429, retry_after="3600"))
    with pytest.raises(HttpError, match="allows the next request in 3,600 s"):
        get_with_retries(storage)
    assert len(storage.requests) == 3


@pytest.mark.parametrize("fault", [Fault(cut_after=1_000_000), Fault(cut_after=0), Fault(pause_s=60)], ids=str)
def test_a_broken_download_starts_over(storage: KaggleStorage, tmp_path: Path, fault: Fault) -> None:
    policy = replace(QUICK, attempts=2, timeout_s=1)

    def load() -> int:
        return download(lambda: get(storage, policy), tmp_path / "a", "the storage", policy, no_progress)

    storage.will(fault)
    assert (load(), (tmp_path / "a").read_bytes()) == (len(CONTENT), CONTENT)
    storage.will(fault, times=2)
    with pytest.raises(HttpError, match=r"the storage .*(closed the connection|did not respond).*\(attempts: 2\)"):
        load()
