"""The asset checks as Dagster definitions: one check step per asset step, with a result per year."""

from collections.abc import Iterator, Sequence

from dagster import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetKey,
    AssetsDefinition,
    ResourceParam,
    multi_asset_check,
)

from chicago_crime.graph.checks.codes import CODES_ARE_STABLE
from chicago_crime.graph.checks.findings import Check, CheckInputs
from chicago_crime.graph.checks.layers import LAYER_CHECKS
from chicago_crime.graph.checks.tables import checks_of_tables
from chicago_crime.graph.dagster_internals import record_checks
from chicago_crime.graph.partitions import yearly
from chicago_crime.graph.run_state import RunState

CHECKS = (*LAYER_CHECKS, CODES_ARE_STABLE, *checks_of_tables())
"""All checks."""


def asset_checks(assets: Sequence[AssetsDefinition]) -> list[AssetChecksDefinition]:
    """Return the check steps of these asset steps."""
    keys = [{key.to_user_string() for key in step.keys} for step in assets]
    groups = [[check for check in CHECKS if check.asset in names] for names in keys]
    return [_step(group) for group in groups if group]


def _step(checks: Sequence[Check]) -> AssetChecksDefinition:
    @multi_asset_check(
        # Not blocking for Dagster, which would stop all years; `published` refuses only the years that fail.
        specs=[
            AssetCheckSpec(one.name, asset=one.asset, description=one.description, partitions_def=yearly)
            for one in checks
        ],
        name=f"{checks[0].asset}_checks",
        can_subset=True,
    )
    def check(
        context: AssetCheckExecutionContext,
        check_inputs: ResourceParam[CheckInputs],
        run_state: ResourceParam[RunState],
    ) -> Iterator[AssetCheckResult]:
        yield from ()  # Dagster expects a generator
        is_of_years = context.has_partition_key or context.has_partition_key_range
        chosen = map(int, context.partition_keys) if is_of_years else check_inputs.source_files.years()
        years = run_state.to_make(chosen)
        found = [
            one.evaluation(finding, year, run_state.accept)
            for one in checks
            if AssetCheckKey(AssetKey(one.asset), one.name) in context.selected_asset_check_keys
            for year, finding in check_inputs.findings(one, years).items()
        ]
        record_checks(context, found)

    return check
