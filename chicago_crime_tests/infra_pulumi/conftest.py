"""Skips every module of this folder, without importing it, where Pulumi is not installed."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "infra_pulumi"))  # as Pulumi does

if find_spec("pulumi") is None:

    class WithoutPulumi(pytest.Module):
        """A module that is skipped before it is imported."""

        def collect(self) -> NoReturn:
            """Skip it with the reason."""
            pytest.skip(
                "Pulumi is not installed in this environment: `make setup-infra`, and `make test` runs these tests",
                allow_module_level=True,
            )

    def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
        """Collect every module of this folder as a `WithoutPulumi`."""
        return WithoutPulumi.from_parent(parent, path=module_path)
