"""The asset checks as Dagster definitions: one check step per asset step, with a result per year."""

from collections.abc import Iterator, Sequence

from dagster import (
    AssetCheckEvaluation,
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetChecksDefinition,
    AssetCheckSpec,
    AssetKey,
    AssetsDefinition,
    Output,
    ResourceParam,
    multi_asset_check,
)

from chicago_crime.graph.checks.findings import Check, CheckInputs
from chicago_crime.graph.checks.layers import LAYER_CHECKS
from chicago_crime.graph.checks.tables import checks_of_tables
from chicago_crime.graph.dagster_internals import latest_materializations
from chicago_crime.graph.partitions import yearly
from chicago_crime.graph.run_state import RunState

CHECKS = (*LAYER_CHECKS, *checks_of_tables())
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
            AssetCheckSpec(check.name, asset=check.asset, description=check.description, partitions_def=yearly)
            for check in checks
        ],
        name=f"{checks[0].asset}_checks",
        can_subset=True,
    )
    def run_checks(
        context: AssetCheckExecutionContext,
        check_inputs: ResourceParam[CheckInputs],
        run_state: ResourceParam[RunState],
    ) -> Iterator[AssetCheckEvaluation | Output[None]]:
        is_of_years = context.has_partition_key or context.has_partition_key_range
        chosen = map(int, context.partition_keys) if is_of_years else check_inputs.source_files.years()
        years = run_state.to_make(chosen)
        keys = context.selected_asset_check_keys
        selected = [check for check in checks if AssetCheckKey(AssetKey(check.asset), check.name) in keys]
        examined = {
            asset: latest_materializations(context.instance, asset, [*years, *run_state.unchanged])
            for asset in {check.asset for check in selected}
        }
        accepted = {
            year: run_state.accepted(year, manifest.sha256, manifest.accepted)
            for year, manifest in check_inputs.manifests(years).items()
        }
        for check in selected:
            latest = examined[check.asset]
            for year, finding in check_inputs.findings(check, years).items():
                accept = accepted.get(year)
                outcome = check.outcome(finding, accept)
                yield check.evaluation(outcome, finding.values, year, accept, latest.get(year))
            for year, published in run_state.unchanged.items():  # they are materialized again, but unchanged
                for outcome in published.checks:
                    if outcome.check == check.key:
                        yield check.evaluation(outcome, {}, year, published.accepted, latest.get(year))
        # An `AssetCheckResult` would apply to all years of the step, so the outputs are empty.
        yield from (Output(None, name) for name in context.op_execution_context.selected_output_names)

    return run_checks
