"""The Dagster graph: assets, checks, jobs, schedules, sensors, and how runs are started."""
