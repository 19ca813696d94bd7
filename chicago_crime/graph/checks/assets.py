"""The asset checks in the graph: one step makes all checks of the assets that one step makes."""

from collections.abc import Iterator, Sequence

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetKey,
    AssetsDefinition,
    ResourceParam,
    multi_asset_check,
)

from chicago_crime.graph.checks.codes import CODES_ARE_STABLE
from chicago_crime.graph.checks.findings import Check, Examined
from chicago_crime.graph.checks.layers import LAYER_CHECKS
from chicago_crime.graph.checks.tables import checks_of_tables
from chicago_crime.graph.years_of_run import YearsOfRun
from chicago_crime.tables import TABLES

CHECKS = (*LAYER_CHECKS, CODES_ARE_STABLE, *checks_of_tables())
"""Every check of the platform."""


def asset_checks(assets: Sequence[AssetsDefinition]) -> list[AssetChecksDefinition]:
    """The checks of the assets that these steps make."""
    keys = [{key.to_user_string() for key in step.keys} for step in assets]
    groups = [[check for check in CHECKS if check.asset in names] for names in keys]
    return [_step(group) for group in groups if group]


def _step(checks: Sequence[Check]) -> AssetChecksDefinition:
    @multi_asset_check(
        # A failure stops no step: it keeps its year from being published, and no other year.
        specs=[AssetCheckSpec(one.name, asset=one.asset, description=one.description) for one in checks],
        name=f"{checks[0].asset}_checks",
        can_subset=True,
    )
    def check(
        context: AssetCheckExecutionContext, examined: ResourceParam[Examined], of_run: ResourceParam[YearsOfRun]
    ) -> Iterator[AssetCheckResult]:
        for one in checks:
            if any(
                key.asset_key == AssetKey(one.asset) and key.name == one.name
                for key in context.selected_asset_check_keys
            ):
                yield one.result(examined.findings(one, _years(context, examined, of_run, one.asset)))

    return check


def _years(context: AssetCheckExecutionContext, examined: Examined, of_run: YearsOfRun, asset: str) -> list[int]:
    """The years of the run that it has not left out; every stored year if the run has no partitions."""
    if context.has_partition_key or context.has_partition_key_range:
        return [year for key in context.partition_keys if (year := int(key)) not in of_run.left_out]
    table = TABLES.get(asset)
    return sorted(examined.stored(table)) if table else examined.source_files.years()
