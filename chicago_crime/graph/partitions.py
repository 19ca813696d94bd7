"""The yearly partitions of every asset, how backfills run them, when Dagster makes one anew, and what runs share."""

import warnings

from dagster import AutomationCondition, BackfillPolicy, BetaWarning, PreviewWarning, TimeWindowPartitionsDefinition

from chicago_crime.tables.years import FIRST_YEAR

# Every asset has a backfill policy; users need no warning at each start that the parameter is in beta.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=BetaWarning)
warnings.filterwarnings("ignore", message="Specifying a partitions_def on an AssetCheckSpec", category=PreviewWarning)

# The year that is not over is one of them, and the next joins them on New Year's Day without a restart.
yearly = TimeWindowPartitionsDefinition(
    start=str(FIRST_YEAR), fmt="%Y", cron_schedule="0 0 1 1 *", timezone="America/Chicago", end_offset=1
)

one_run_for_all_years = BackfillPolicy.single_run()

follows_upstream = AutomationCondition.eager().without(AutomationCondition.in_latest_time_window())
"""A year is made anew when what it is made of has changed, also a year long past."""

SOURCE_POOL, SPARK_POOL = "source", "spark"
"""What is used by one run at a time, by default: an operator may set other limits in the UI, under Deployment."""
