"""The yearly partitions of every asset, and how a backfill runs them."""

import warnings

from dagster import BackfillPolicy, BetaWarning, PreviewWarning, StaticPartitionsDefinition

from chicago_crime.tables.years import CURRENT_YEAR, FIRST_YEAR

# Every asset has a backfill policy; users need no warning at each start that the parameter is in beta.
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=BetaWarning)
warnings.filterwarnings("ignore", message="Specifying a partitions_def on an AssetCheckSpec", category=PreviewWarning)

# Static rather than time-window partitions: automation may request any year, also one long past.
yearly = StaticPartitionsDefinition([str(year) for year in range(FIRST_YEAR, CURRENT_YEAR + 1)])

one_run_for_all_years = BackfillPolicy.single_run()
