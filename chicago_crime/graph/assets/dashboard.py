"""A link that opens Looker Studio on the marts. It is only in the graph on Google Cloud."""

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, ResourceParam, asset

from chicago_crime.errors import HOW_TO_LOAD
from chicago_crime.graph.assets.describe import OWNERS
from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.settings import Settings
from chicago_crime.storage.google.looker_studio import report_url
from chicago_crime.storage.warehouse import Warehouse, WarehouseError
from chicago_crime.tables import TABLES
from chicago_crime.tables.years import format_years

REPORTED = tuple(sorted((t for t in TABLES.values() if t.adds_up), key=lambda table: table.made_by != "sql"))
"""The marts, crimes_monthly first because a new report opens on the first data source.

A report on individual crimes would read all of them for every chart."""


@asset(
    deps=[table.name for table in REPORTED],
    group_name="dashboard",
    kinds={"looker"},
    owners=OWNERS,
    description="A link that creates a Looker Studio report with the marts as data sources. Next steps: "
    "docs/how-to/looker-studio.md.",
)
def looker_studio_report(
    context: AssetExecutionContext,
    settings: ResourceParam[Settings],
    warehouse: ResourceParam[Warehouse],
    source_files: ResourceParam[SourceFiles],
) -> MaterializeResult:
    """Create the link if all its tables are loaded."""
    stored = warehouse.stored_of_all(REPORTED)
    if empty := [name for name, years in stored.items() if not years]:
        raise WarehouseError(f"{', '.join(empty)}: nothing is loaded. {HOW_TO_LOAD}")
    synthetic = source_files.synthetic_years()
    name = "Chicago crime" + (f", SYNTHETIC rows in {format_years(synthetic)}" if synthetic else "")
    url = report_url(settings.gcp_project or "", settings.bigquery_dataset, name, REPORTED)
    return MaterializeResult(
        metadata={
            "report": MetadataValue.url(url),
            "report_name": name,
            "tables": MetadataValue.json([table.name for table in REPORTED]),
            "years": format_years(sorted(set.intersection(*(set(years) for years in stored.values())))),
        }
    )
