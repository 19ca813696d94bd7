"""Tests of what is provisioned. They run in the environment that has Pulumi: `infra_pulumi/.venv`."""
