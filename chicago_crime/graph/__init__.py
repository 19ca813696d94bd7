"""The Dagster graph: assets, checks, jobs, schedules and sensors, and runs from the command line."""
