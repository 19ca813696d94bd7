"""The yearly partitions of all assets, their backfill policy and automation condition, and the pools of runs."""

import warnings

from dagster import AutomationCondition, BackfillPolicy, BetaWarning, PreviewWarning, TimeWindowPartitionsDefinition

from chicago_crime.tables.years import FIRST_YEAR

# All assets use these beta and preview parameters; users do not need a warning about them at each start.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=BetaWarning)
warnings.filterwarnings("ignore", message="Specifying a partitions_def on an AssetCheckSpec", category=PreviewWarning)

# Includes the current year; the next is added on New Year's Day without a restart.
yearly = TimeWindowPartitionsDefinition(
    start=str(FIRST_YEAR), fmt="%Y", cron_schedule="0 0 1 1 *", timezone="America/Chicago", end_offset=1
)

one_run_for_all_years = BackfillPolicy.single_run()

follows_upstream = AutomationCondition.eager().without(AutomationCondition.in_latest_time_window())
"""Rebuild a year, even an old one, when its upstream assets change."""

SOURCE_POOL, SPARK_POOL = "source", "spark"
"""Pools used by one run at a time by default; operators can change the limits in the UI under Deployment."""
