"""Tests the object store with Google's storage testbench: does each operation survive every failure that it should?

    git clone https://github.com/googleapis/storage-testbench && cd storage-testbench
    uv venv && uv pip install -e . && .venv/bin/python testbench_run.py 127.0.0.1 9000 10

    python -m benchmarks.storage_testbench [--address http://127.0.0.1:9000]

The testbench is Google's emulator for testing its client libraries. In its retry tests, a method fails according to a
list of instructions. All of them must be used, the operation must succeed, and the object must have the right content.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import requests
from rich.console import Console
from rich.table import Table

from chicago_crime.errors import PlatformError
from chicago_crime.settings import Settings
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime.storage.google.bucket import BucketStore

BUCKET, KEY = "chicago-crime-testbench", "crimes/2014.csv"
SMALL, LARGE = 1000, 9 << 20  # Google's client sends more than 8 MiB in several requests
STREAMED = 1 << 20  # after a stall, the testbench sends 4 bytes at a time, which takes 15 s for 9 MiB
POLICY = RetryPolicy(timeout_s=10, first_wait_s=0.1, max_wait_s=1, deadline_s=60)

FAILURES = [["return-503"], ["return-429", "return-500"], ["return-reset-connection", "return-503"]]
OF_UPLOADS = [["return-503-after-256K"], ["return-503-after-8192K"] * 2, ["stall-for-1s-after-256K"]]
OF_DOWNLOADS = [["return-broken-stream"], ["return-broken-stream-after-256K"], ["stall-for-1s-after-256K"]]
BROKEN_ANSWER = [["return-broken-stream-final-chunk-after-1024B"]]


@dataclass(frozen=True)
class Operation:
    """An operation of the object store.

    Attributes:
        name: name in the report.
        method: method of Google's API that fails.
        size: size of the object in bytes.
        work: runs the operation and returns whether its result is right.
        failures: lists of instructions to try.
    """

    name: str
    method: str
    size: int
    work: Callable[[BucketStore, Path], bool]
    failures: list[list[str]]


def _get(store: BucketStore, file: Path) -> bool:
    folder = file.with_suffix(".got")
    folder.mkdir(exist_ok=True)
    return store.get(KEY, folder).read_bytes() == file.read_bytes()


def _swap(store: BucketStore, file: Path) -> bool:
    found = store.read(KEY)
    return found is not None and store.swap(KEY, b"{}", found[1]) and (store.read(KEY) or (b"",))[0] == b"{}"


def _delete(store: BucketStore, file: Path) -> bool:
    store.delete_prefix("crimes/")
    return store.list("") == []


def _put(store: BucketStore, file: Path) -> bool:
    stored = store.put("crimes/2015.csv", file)
    return store.is_intact(stored.key, stored.bytes, stored.sha256)


OPERATIONS = [
    Operation("put, in one request", "storage.objects.insert", SMALL, _put, FAILURES),
    Operation("put, resumable", "storage.objects.insert", LARGE, _put, [*FAILURES, *OF_UPLOADS, *BROKEN_ANSWER]),
    Operation("swap", "storage.objects.insert", SMALL, _swap, FAILURES),
    Operation("get", "storage.objects.get", STREAMED, _get, [*FAILURES, *OF_DOWNLOADS]),
    Operation("list", "storage.objects.list", SMALL, lambda store, file: len(store.list("crimes/")) == 1, FAILURES),
    Operation("delete", "storage.objects.delete", SMALL, _delete, FAILURES),
]


@dataclass(frozen=True)
class Result:
    """The result of an operation with a list of instructions; the problem is empty if it succeeded."""

    operation: Operation
    instructions: list[str]
    seconds: float
    problem: str


def results(address: str) -> Iterator[Result]:
    """Try every operation with every failure, each in a new bucket."""
    for operation in OPERATIONS:
        for instructions in operation.failures:
            with tempfile.TemporaryDirectory() as folder:
                yield _tried(address, operation, instructions, Path(folder) / "2014.csv")


def _tried(address: str, operation: Operation, instructions: list[str], file: Path) -> Result:
    bucket = f"{BUCKET}-{uuid4().hex[:8]}"
    _request("POST", f"{address}/storage/v1/b?project=testbench", {"name": bucket})
    file.write_bytes(random.Random(1).randbytes(operation.size))
    store = BucketStore(Settings(gcp_project="testbench", gcs_endpoint=address), bucket, policy=POLICY)
    store.put(KEY, file)
    made = _request("POST", f"{address}/retry_test", {"instructions": {operation.method: instructions}})
    store.client._http.headers["x-retry-test-id"] = made["id"]
    began = time.monotonic()
    try:
        problem = "" if operation.work(store, file) else "the result is wrong"
    except PlatformError as error:
        problem = str(error)
    seconds = time.monotonic() - began
    if not problem and not _request("GET", f"{address}/retry_test/{made['id']}")["completed"]:
        problem = "the failure never happened"
    return Result(operation, instructions, seconds, problem)


def _request(method: str, url: str, body: object = None) -> dict:
    response = requests.request(method, url, json=body, timeout=10)
    response.raise_for_status()
    return response.json()


def main() -> None:
    """Run it and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--address", default="http://127.0.0.1:9000")
    table, bad = Table("operation", "failures", "seconds", "outcome"), 0
    for one in results(parser.parse_args().address):
        bad += bool(one.problem)
        table.add_row(one.operation.name, ", ".join(one.instructions), f"{one.seconds:.1f}", one.problem or "passed")
    Console().print(table)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
