"""What assets work with: object store, warehouse and Spark, each an interface with one class per place it runs.

`build_resources` is the only place that turns settings into resources.
"""

from typing import Any

from chicago_crime.settings import Settings, SettingsError


def build_resources(settings: Settings) -> dict[str, Any]:
    """The resources of one installation, by the name under which assets ask for them. Nothing is opened yet."""
    from chicago_crime.check_tools import Limits
    from chicago_crime.resources.leases import YearLocks
    from chicago_crime.resources.source_files import SourceFiles
    from chicago_crime.sources import build_source

    data = settings.data_dir
    return {
        "source": build_source(settings),
        "source_files": SourceFiles(data / "csv", data / "staging"),
        "year_locks": YearLocks(data / "locks"),
        "limits": Limits(shrink=1.0) if settings.allow_shrink else Limits(),
        **(_on_google_cloud(settings) if settings.deployment == "gcp" else _on_a_laptop(settings)),
    }


def _on_a_laptop(settings: Settings) -> dict[str, Any]:
    from chicago_crime.resources.duckdb import DuckDBWarehouse
    from chicago_crime.resources.object_store import FolderStore
    from chicago_crime.resources.spark import build_spark

    data, staging = settings.data_dir, settings.data_dir / "staging"
    return {
        "object_store": FolderStore(data / "objects", staging),
        "warehouse": DuckDBWarehouse(data / "warehouse", staging, settings.threads, settings.duckdb_memory),
        "spark": build_spark(settings),
    }


def _on_google_cloud(settings: Settings) -> dict[str, Any]:
    try:
        from chicago_crime.resources.bigquery import build_bigquery
        from chicago_crime.resources.dataproc import build_dataproc
        from chicago_crime.resources.gcs import build_bucket_store
        from chicago_crime.resources.looker_studio import LookerStudio
    except ImportError as error:
        raise SettingsError(
            f"CHICAGO_CRIME_DEPLOYMENT=gcp needs Google's libraries ({error}): pip install 'chicago-crime[gcp]'"
        ) from error

    return {
        "object_store": build_bucket_store(settings),
        "warehouse": build_bigquery(settings),
        "spark": build_dataproc(settings),
        "looker_studio": LookerStudio(settings.gcp_project or "", settings.bigquery_dataset),
    }
