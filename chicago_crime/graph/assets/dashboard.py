"""A link that opens Looker Studio on the tables of counts. It is in the graph where they are in BigQuery."""

from dagster import AssetExecutionContext, MaterializeResult, MetadataValue, ResourceParam, asset

from chicago_crime.graph.assets.describe import OWNERS
from chicago_crime.intake.source_files import SourceFiles
from chicago_crime.settings import Settings
from chicago_crime.storage.google.looker_studio import report_url
from chicago_crime.storage.warehouse import Warehouse, WarehouseError
from chicago_crime.tables import ENRICHED_CRIMES, TABLES
from chicago_crime.tables.years import format_years

REPORTED = tuple(
    sorted((t for t in TABLES.values() if ENRICHED_CRIMES in t.upstream), key=lambda table: table.made_by != "sql")
)
"""The tables of counts, crimes_monthly first: a new report opens on the first data source.

A report on crimes one by one would read all of them for every chart."""


@asset(
    deps=[table.name for table in REPORTED],
    group_name="dashboard",
    kinds={"looker"},
    owners=OWNERS,
    description="A link that makes a report in Looker Studio, with the marts as its data sources; "
    "docs/how-to/looker-studio.md has the next steps.",
)
def looker_studio_report(
    context: AssetExecutionContext,
    settings: ResourceParam[Settings],
    warehouse: ResourceParam[Warehouse],
    source_files: ResourceParam[SourceFiles],
) -> MaterializeResult:
    """Make the link, if every table that it names is loaded."""
    stored = warehouse.stored_of_all(REPORTED)
    if empty := [name for name, years in stored.items() if not years]:
        raise WarehouseError(f"{', '.join(empty)}: nothing is loaded. To load a year: chicago-crime run --years 2021")
    manifests = {year: source_files.manifest(year) for year in source_files.years()}
    synthetic = sorted(year for year, manifest in manifests.items() if manifest and manifest.synthetic)
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
