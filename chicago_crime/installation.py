"""Build the parts of an installation from its settings. No other module chooses between implementations.

Parts are built on first use, so that commands import only the libraries they need.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from chicago_crime.errors import HOW_TO_LOAD, how_to_add
from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.published.catalog import (
    CATALOG,
    NothingPublishedError,
    PublishedYear,
    newest_readable,
    open_snapshot,
)
from chicago_crime.reference import checked_estimates
from chicago_crime.settings import Settings, SettingsError, load_settings
from chicago_crime.sources.base import Boundaries, CrimeSource
from chicago_crime.storage.object_store import ObjectStore, ReadableStore
from chicago_crime.storage.warehouse import TableReader, Warehouse
from chicago_crime.tables import CRIMES
from chicago_crime.tables.years import format_years

if TYPE_CHECKING:  # slow to import, or extras
    from chicago_crime.published.publisher import Publisher
    from chicago_crime.published.reader import SnapshotReader
    from chicago_crime.published.views import Views
    from chicago_crime.storage.google.bigquery.warehouse import BigQueryWarehouse
    from chicago_crime.storage.google.bucket import BucketStore
    from chicago_crime.storage.google.dataproc.runner import DataprocSpark
    from chicago_crime.storage.spark import SparkRunner


@contextmanager
def google_extra() -> Iterator[None]:
    """Raise an error with the extra to install if Google's libraries are missing."""
    try:
        yield
    except ImportError as error:
        raise SettingsError(
            f"Google Cloud requires Google's libraries ({error}). To install them: {how_to_add('gcp')}"
        ) from error


class Installation:
    """The parts of an installation.

    Attributes:
        settings: settings of the installation.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def source(self) -> CrimeSource:
        """Source of the records."""
        settings = self.settings
        if settings.source == "folder":
            from chicago_crime.sources.folder import FolderSource

            assert settings.folder, "Settings validates that source=folder has a folder"
            return FolderSource(settings.folder, settings.assigned("folder"))
        if settings.source == "kaggle":
            from chicago_crime.sources.kaggle import KaggleSource
            from chicago_crime.storage.google.secret_manager import read_secret

            return KaggleSource(
                partial(read_secret, settings.kaggle_secret, settings) if settings.kaggle_secret else None
            )
        if settings.source == "portal":
            from chicago_crime.sources.portal import PortalSource

            return PortalSource(
                settings.portal_url.rstrip("/"),
                settings.portal_app_token,
                full_download_after_days=settings.portal_whole_after_days,
            )
        from chicago_crime.sources.sample.source import SampleSource

        return SampleSource(rows=settings.sample_rows or None, seed=settings.sample_seed)

    def fetch_boundaries(self) -> Boundaries:
        """Fetch the City's boundaries from a folder or the portal.

        Raises:
            SourceError: they cannot be fetched, are incomplete, or are not in Chicago.
        """
        from chicago_crime.sources.boundaries import fetch_from_portal, read_folder

        if self.settings.boundaries:
            return read_folder(self.settings.boundaries)
        return fetch_from_portal(self.settings.portal_url.rstrip("/"), self.settings.portal_app_token)

    @cached_property
    def source_files(self) -> SourceFiles:
        """Fetched CSVs with their manifests."""
        return SourceFiles(self.settings.data_dir / "csv", self.settings.data_dir / "staging")

    @cached_property
    def object_store(self) -> ObjectStore:
        """The lake: a folder or a bucket."""
        if self.is_on_google:
            return build_bucket_store(self.settings)
        from chicago_crime.storage.local.folder_store import FolderStore

        return FolderStore(self.settings.data_dir / "objects", self.settings.data_dir / "staging")

    @cached_property
    def warehouse(self) -> Warehouse:
        """DuckDB over Parquet files, or BigQuery."""
        if self.is_on_google:
            return build_bigquery(self.settings)
        from chicago_crime.storage.local.duckdb_warehouse import DuckDBWarehouse

        return DuckDBWarehouse(self.settings, checked_estimates(self.settings.population))

    def prepare_spark(self) -> None:
        """Start the embedded Spark engine in the background, if the settings choose it."""
        if not self.is_on_google and self.settings.spark_engine == "embedded":
            from chicago_crime.storage.local import sail

            sail.prepare()

    @property
    def working_reader(self) -> TableReader:
        """Reader of the warehouse's tables. On a laptop, it avoids importing the SQL translation and Arrow."""
        if self.is_on_google:
            return self.warehouse
        from chicago_crime.storage.local.parquet_reader import ParquetReader

        return ParquetReader(self.settings)

    def reader(self, as_of: date | str | None = None) -> SnapshotReader:
        """Open a published snapshot: the current one, or an older one by day or id.

        Raises:
            NothingPublishedError: there is no such snapshot.
            DamagedError: its catalog is damaged.
        """
        from chicago_crime.published.reader import SnapshotReader

        try:
            catalog = open_snapshot(self.object_store, as_of)
        except NothingPublishedError as error:
            if as_of:
                raise
            how = HOW_TO_LOAD
            if years := {*self.working_reader.stored(CRIMES), *self.source_files.years()}:
                how = f"`chicago-crime status` prints the command that loads {format_years(sorted(years))}"
            raise NothingPublishedError(f"{error}. {how}") from error
        folder = self.settings.data_dir / ("snapshots" if self.is_on_google else "objects")
        return SnapshotReader(self.settings, catalog, self.object_store, folder)

    def published_years(self) -> Mapping[int, PublishedYear]:
        """Return the currently published years; if the catalog is damaged, those of the newest readable snapshot."""
        snapshot = newest_readable(self.object_store).snapshot
        return snapshot.years if snapshot else {}

    def publisher(self, warehouse: Warehouse) -> Publisher:
        """Return the publisher of a warehouse's years."""
        from chicago_crime.published.publisher import Publisher

        staging, keep_days = self.settings.data_dir / "staging", self.settings.keep_snapshots_days
        return Publisher(self.object_store, warehouse, staging, keep_days, self.views)

    @cached_property
    def views(self) -> Views | None:
        """`warehouse.duckdb`, the views of the current snapshot for other programs; None on Google Cloud."""
        if self.is_on_google:
            return None
        from chicago_crime.published.views import Views

        data = self.settings.data_dir
        return Views(data / "warehouse" / "warehouse.duckdb", data / "objects", data / "staging")

    @cached_property
    def spark(self) -> SparkRunner:
        """Spark engine on this machine, or Dataproc."""
        if self.is_on_google:
            return build_dataproc(self.settings)
        from chicago_crime.storage.local.spark import EmbeddedSpark, JvmSpark

        return (JvmSpark if self.settings.spark_engine == "jvm" else EmbeddedSpark)(self.settings)

    @property
    def is_on_google(self) -> bool:
        """Whether the deployment is Google Cloud."""
        return self.settings.deployment == "gcp"

    def resources(self) -> dict[str, object]:
        """Return the parts that assets use as Dagster resources, by name."""
        checked_estimates(self.settings.population)  # an error now, not in a run
        names = ("settings", "source", "source_files", "object_store", "spark", "fetch_boundaries")
        return {name: getattr(self, name) for name in names}


def reader_at(location: str | Path | None, as_of: date | str | None = None) -> SnapshotReader:
    """Open a snapshot: of this installation, of a data folder or a copy of one, of a bucket or of a web address.

    Files of the last two are cached in `~/.cache/chicago-crime`.

    Raises:
        NothingPublishedError: there is none.
        DamagedError: its catalog is damaged.
        SettingsError: there is no such location, or a setting that it needs is missing.
    """
    from chicago_crime.published.reader import SnapshotReader
    from chicago_crime.published.web_store import WebStore
    from chicago_crime.storage.lineage import digest
    from chicago_crime.storage.local.folder_store import FolderStore

    settings = load_settings()
    if location is None:
        return Installation(settings).reader(as_of)
    store: ReadableStore
    text = str(location)
    folder = data_dir = Path.home() / ".cache" / "chicago-crime" / digest(text)
    if text.startswith("gs://"):
        store = build_bucket_store(settings, text.removeprefix("gs://").rstrip("/"))
    elif text.startswith(("https://", "http://")):
        store = WebStore(text)
    else:
        folder = data_dir = Path(text).expanduser().absolute()
        if not folder.is_dir():
            raise SettingsError(f"there is no folder {text}; addresses begin with gs://, https:// or http://")
        if not (folder / CATALOG).is_file():  # a data folder
            folder /= "objects"
        store = FolderStore(folder, data_dir / "staging")
    try:
        catalog = open_snapshot(store, as_of)
    except NothingPublishedError as error:
        raise NothingPublishedError(f"{text}: {error}") from None
    return SnapshotReader(settings.model_copy(update={"data_dir": data_dir}), catalog, store, folder)


def build_bucket_store(settings: Settings, bucket: str | None = None) -> BucketStore:
    """Build the object store in the settings' bucket, or another one. This makes no requests."""
    with google_extra():
        from chicago_crime.storage.google.bucket import BucketStore

    name = bucket or settings.gcs_bucket
    assert name, "Settings validates that gcp has a bucket"
    return BucketStore(settings, name)


def build_bigquery(settings: Settings) -> BigQueryWarehouse:
    """Build the warehouse in BigQuery. This makes no requests."""
    with google_extra():
        from chicago_crime.storage.google.bigquery.warehouse import BigQueryWarehouse

    staging = build_bucket_store(settings, settings.staging_bucket)
    return BigQueryWarehouse(settings, staging, checked_estimates(settings.population))


def build_dataproc(settings: Settings) -> DataprocSpark:
    """Build the Spark runner on Dataproc. This makes no requests.

    Raises:
        SettingsError: Dataproc does not support that cluster size.
    """
    with google_extra():
        from chicago_crime.storage.google.dataproc.backends import BatchBackend, ClusterBackend
        from chicago_crime.storage.google.dataproc.runner import DataprocSpark

    if settings.dataproc_mode == "cluster" and settings.dataproc_workers == 1:
        raise SettingsError("CHICAGO_CRIME_DATAPROC_WORKERS=1: use 0 for a single-node cluster, or 2 and more")
    backend = ClusterBackend if settings.dataproc_mode == "cluster" else BatchBackend
    store = build_bucket_store(settings, settings.staging_bucket)
    return DataprocSpark(backend(settings), store, settings.data_dir / "dataproc")
