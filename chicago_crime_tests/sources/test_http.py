"""Tests of `chicago_crime/sources/http.py`, against a storage that loses connections and changes its files."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import requests

from chicago_crime.sources.base import no_progress
from chicago_crime.sources.http import HttpError, Patience, download, limit_time, patiently
from chicago_crime_tests.servers.faults import Asked, Fault
from chicago_crime_tests.servers.kaggle_server import KaggleStorage
from chicago_crime_tests.support import all_told_by

CONTENT = bytes(range(256)) * 12_000
QUICK = Patience(tries=4, first_wait_s=0.01, longest_wait_s=5, timeout_s=5)
IMPATIENT = Patience(tries=2, first_wait_s=0.01, timeout_s=0.3)


BLOCK = 1 << 16
"""What a break may cost: bytes that are asked for again."""


@pytest.fixture
def storage() -> Iterator[KaggleStorage]:
    with KaggleStorage({"a.csv": CONTENT}).answering() as server:
        yield server


def get(storage: KaggleStorage, patience: Patience = QUICK, **headers: str) -> requests.Response:
    with limit_time(requests.Session(), patience) as session:
        answer = session.get(storage.address_of("a.csv"), headers=headers, stream=True)
        answer.raise_for_status()
        return answer


def ask(storage: KaggleStorage, patience: Patience = QUICK) -> bytes:
    return patiently(lambda: get(storage, patience).content, "the storage", patience)


def load(storage: KaggleStorage, target: Path, patience: Patience = QUICK) -> bytes:
    size = download(lambda headers: get(storage, patience, **headers), target, "the storage", patience, no_progress)
    assert size == target.stat().st_size
    return target.read_bytes()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_what_passes_is_asked_again(storage: KaggleStorage, status: int) -> None:
    storage.will(Fault(status=status), times=3)
    assert ask(storage) == CONTENT
    assert [one.status for one in storage.asked] == [status] * 3 + [200]


def went_on_at(asked: Asked) -> int:
    """The first byte that a request wanted."""
    return int(asked.headers["Range"].removeprefix("bytes=").removesuffix("-"))


def test_it_is_given_up_after_some_tries(storage: KaggleStorage) -> None:
    storage.will(Fault(status=503), times=9)
    with pytest.raises(HttpError, match=r"the storage answers 503 \(Service Unavailable\), 4 times in a row"):
        ask(storage)
    assert len(storage.asked) == 4


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_not_asked_again(storage: KaggleStorage, status: int) -> None:
    storage.will(Fault(status=status))
    with pytest.raises(HttpError, match=f"the storage answers {status}") as raised:
        ask(storage)
    assert raised.value.status == status
    assert len(storage.asked) == 1


def test_the_wait_that_is_asked_for_is_kept(storage: KaggleStorage) -> None:
    storage.will(Fault(status=429, retry_after="1"))
    assert ask(storage) == CONTENT
    first, second = storage.asked
    assert second.at - first.at >= 1


def test_a_date_to_come_back_at_is_kept(storage: KaggleStorage) -> None:
    here, now = time.monotonic(), datetime.now(UTC)
    due = now.replace(microsecond=0) + timedelta(seconds=2)  # dates have whole seconds
    storage.will(Fault(status=503, retry_after=format_datetime(due, usegmt=True)))
    assert ask(storage) == CONTENT
    _, second = storage.asked
    assert second.at - here >= (due - now).total_seconds()


def test_a_wait_that_is_no_time_counts_as_none(storage: KaggleStorage) -> None:
    storage.will(Fault(status=429, retry_after="soon"))
    assert ask(storage) == CONTENT


def test_nobody_waits_for_an_hour(storage: KaggleStorage) -> None:
    storage.will(Fault(status=429, retry_after="3600"))
    with pytest.raises(HttpError, match="wants to be asked again in 3,600 s"):
        ask(storage)
    assert len(storage.asked) == 1


def test_a_silent_server_is_not_waited_for_forever(storage: KaggleStorage) -> None:
    storage.will(Fault(wait_s=60), times=2)
    with pytest.raises(HttpError, match=r"does not answer within 0\.3 s, 2 times in a row"):
        ask(storage, IMPATIENT)


def test_a_server_that_falls_silent_in_mid_answer_is_not_waited_for(storage: KaggleStorage, tmp_path: Path) -> None:
    storage.will(Fault(pause_s=60))
    assert load(storage, tmp_path / "a", replace(IMPATIENT, timeout_s=2)) == CONTENT
    first, second = storage.asked
    assert first.sent - BLOCK < went_on_at(second) <= first.sent


def test_a_server_that_is_gone_is_told(storage: KaggleStorage) -> None:
    with KaggleStorage({}).answering() as gone:
        pass
    with pytest.raises(HttpError, match="the storage cannot be reached"):
        ask(gone)


def test_a_download_goes_on_where_it_was_cut(storage: KaggleStorage, tmp_path: Path) -> None:
    for cut in (1_000_000, 0, 1_234_567):
        storage.will(Fault(cut_after=cut))
    assert load(storage, tmp_path / "a") == CONTENT
    assert "Range" not in storage.asked[0].headers
    second, third, fourth = (went_on_at(one) for one in storage.asked[1:])
    assert 1_000_000 - BLOCK < second == third <= 1_000_000
    assert second + 1_234_567 - BLOCK < fourth <= second + 1_234_567
    assert sum(one.sent for one in storage.asked) < len(CONTENT) + 3 * BLOCK


def test_a_download_that_gets_ahead_is_never_given_up(storage: KaggleStorage, tmp_path: Path) -> None:
    storage.will(Fault(cut_after=300_000), times=9)
    assert load(storage, tmp_path / "a") == CONTENT
    assert len(storage.asked) == 10


def test_a_download_that_does_not_get_ahead_is_given_up(storage: KaggleStorage, tmp_path: Path) -> None:
    storage.will(Fault(cut_after=100))
    storage.will(Fault(cut_after=0), times=9)
    with pytest.raises(HttpError, match="the storage broke its answer off, 4 times in a row"):
        load(storage, tmp_path / "a")


def test_a_server_without_ranges_sends_all_of_it_again(storage: KaggleStorage, tmp_path: Path) -> None:
    storage.knows_ranges = False
    storage.will(Fault(cut_after=1_000_000))
    assert load(storage, tmp_path / "a") == CONTENT


def test_a_server_without_ranges_that_always_cuts_is_given_up(storage: KaggleStorage, tmp_path: Path) -> None:
    storage.knows_ranges = False
    storage.will(Fault(cut_after=1_000_000), times=99)
    with pytest.raises(HttpError, match="broke its answer off"):
        load(storage, tmp_path / "a")
    assert len(storage.asked) <= 6


def test_two_versions_of_a_file_are_never_mixed(storage: KaggleStorage, tmp_path: Path) -> None:
    newer = CONTENT[::-1]
    storage.will(Fault(cut_after=1_000_000))
    storage.will(Fault(before=lambda: storage.files.update({"a.csv": newer})))
    assert load(storage, tmp_path / "a") == newer


def test_no_error_tells_the_signed_address(storage: KaggleStorage, caplog: pytest.LogCaptureFixture) -> None:
    secret = storage.signature("a.csv")
    assert secret in storage.address_of("a.csv")
    caplog.set_level("INFO")
    for fault in (Fault(status=404), Fault(status=503), Fault(wait_s=60), Fault(cut_after=9)):
        storage.will(fault, times=2)
        with pytest.raises(HttpError) as raised:
            ask(storage, IMPATIENT)
        assert secret not in all_told_by(raised.value)
        if fault.status == 404:
            with pytest.raises(HttpError):
                ask(storage, IMPATIENT)
    assert secret not in caplog.text
