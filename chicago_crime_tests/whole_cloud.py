"""Fakes of all Google Cloud services that the platform uses, on loopback, and settings that point to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from chicago_crime.settings import PREFIX, Settings, load_settings
from chicago_crime_tests.servers.access_server import AccessServer
from chicago_crime_tests.servers.bigquery_server import BigQueryServer
from chicago_crime_tests.servers.credentials import PROJECT_ID, service_account_file
from chicago_crime_tests.servers.dataproc_server import DataprocServer
from chicago_crime_tests.servers.storage_server import StorageServer

BUCKET = "chicago-test"
STAGING = "chicago-test-staging"
DATASET = "chicago_crime"
WORKER = f"spark@{PROJECT_ID}.iam.gserviceaccount.com"
SECRET = f"projects/{PROJECT_ID}/secrets/kaggle-token"


@dataclass
class WholeCloud:
    """The fake servers, their folder, and environment variables that point to them."""

    folder: Path
    storage: StorageServer
    bigquery: BigQueryServer
    dataproc: DataprocServer
    access: AccessServer
    environment: dict[str, str]

    @cached_property
    def settings(self) -> Settings:
        return self.settings_with()

    def settings_with(self, **changes: object) -> Settings:
        ours = {name: value for name, value in self.environment.items() if name.startswith(PREFIX)}
        return load_settings(**({name.removeprefix(PREFIX).lower(): value for name, value in ours.items()} | changes))

    def left(self) -> list[str]:
        """Return resources that should have been removed: clusters, jobs, staged objects and files, run notes."""
        state, data = self.dataproc, self.settings.data_dir
        kept = ("crimes/", "quarantine/", "published/", "google-cloud-dataproc-metainfo/")
        names = [*self.storage.buckets.names(BUCKET), *self.storage.buckets.names(STAGING)]
        staged = [name for name in names if not name.startswith(kept)]
        return [
            *(f"cluster {name}" for name in state.clusters),
            *(f"job {name}" for name, job in (state.jobs | state.batches).items() if not job.is_over),
            *(f"object {name}" for name in staged),
            *(f"note {note.name}" for kind in ("dataproc", "exports") for note in (data / kind).glob("*")),
            *(f"file {file}" for file in (data / "staging").rglob("*")),
        ]


Cloud = TypeVar("Cloud", bound=WholeCloud)


@contextmanager
def whole_cloud(place: Path, runs: bool = True, kind: type[Cloud] = WholeCloud, **settings: object) -> Iterator[Cloud]:
    """Run a fake cloud in a folder, with additional settings. Without `runs`, Spark programs only pretend to run."""
    storage = StorageServer(place / "buckets", [BUCKET, STAGING])
    bigquery, dataproc = BigQueryServer(storage), DataprocServer(storage.buckets, runs)
    access = AccessServer({SECRET: [b"KGAT_planted0token"]})
    access.accounts = {WORKER}
    with storage.answering(), bigquery.answering(), dataproc.answering(), access.answering():
        chosen: dict[str, object] = {
            "deployment": "gcp",
            "gcp_project": PROJECT_ID,
            "gcs_bucket": BUCKET,
            "gcs_staging_bucket": STAGING,
            "bigquery_dataset": DATASET,
            "gcp_credentials": service_account_file(place, access.token_uri),
            "gcs_endpoint": storage.url,
            "bigquery_endpoint": bigquery.url,
            "dataproc_endpoint": dataproc.url,
            "google_api_endpoint": access.url,
            "data_dir": place / "data",
        }
        environment = {f"{PREFIX}{name.upper()}": str(value) for name, value in (chosen | settings).items()}
        yield kind(place, storage, bigquery, dataproc, access, environment)
