"""Tests of the Pulumi program. They run in the environment that has Pulumi: `infra_pulumi/.venv`."""
