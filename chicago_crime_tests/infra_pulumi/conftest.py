"""Where Pulumi is not installed, as beside the platform, every module here is skipped with the reason."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "infra_pulumi"))  # as Pulumi itself does with a program's folder

if find_spec("pulumi") is None:

    class WithoutPulumi(pytest.Module):
        """A module that is not even imported."""

        def collect(self) -> NoReturn:
            """Say why."""
            pytest.skip(
                "Pulumi is not installed here: `make setup-infra`, then `make test` runs these in its own environment",
                allow_module_level=True,
            )

    def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module:
        """Every module of this folder is such a one."""
        return WithoutPulumi.from_parent(parent, path=module_path)
