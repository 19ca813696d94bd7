"""Tests of what is provisioned. They run in the virtual environment that has Pulumi: `infra_pulumi/.venv`."""
