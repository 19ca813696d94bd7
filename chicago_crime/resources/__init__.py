"""What assets work with: object store, warehouse and Spark, each an interface with one class per place it runs.

`build_resources` is the only place that turns settings into resources.
"""

from typing import Any

from chicago_crime.settings import Settings


def build_resources(settings: Settings) -> dict[str, Any]:
    """The resources of one installation, by the name under which assets ask for them. Nothing is opened yet."""
    from chicago_crime.check_tools import Limits
    from chicago_crime.resources.duckdb import DuckDBWarehouse
    from chicago_crime.resources.object_store import FolderStore
    from chicago_crime.resources.source_files import SourceFiles
    from chicago_crime.resources.spark import build_spark
    from chicago_crime.sources import build_source

    data = settings.data_dir
    staging = data / "staging"
    return {
        "source": build_source(settings),
        "source_files": SourceFiles(data / "csv", staging),
        "object_store": FolderStore(data / "objects", staging),
        "warehouse": DuckDBWarehouse(data / "warehouse", staging, settings.threads, settings.duckdb_memory),
        "spark": build_spark(settings),
        "limits": Limits(shrink=1.0) if settings.allow_shrink else Limits(),
    }
