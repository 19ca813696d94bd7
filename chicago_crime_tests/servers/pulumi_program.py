"""Running a Pulumi program, unmodified and in a process of its own, against the engine of the tests.

Here belongs the run. What it asked for is in the plan that it leaves (`pulumi_plan.py`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from chicago_crime_tests.patience import PATIENCE_S
from chicago_crime_tests.servers.pulumi_engine import running_engine
from chicago_crime_tests.servers.pulumi_plan import Plan

EXECUTOR = Path(__file__).with_name("pulumi_executor.py")


@dataclass(frozen=True)
class Run:
    """What came of a run.

    Attributes:
        plan: what the program asked for.
        exit_code: of its process.
        errors: what it told the engine as errors, which the `pulumi` command prints.
        printed: what it wrote to its standard streams.
    """

    plan: Plan
    exit_code: int
    errors: list[str]
    printed: str


def run_program(
    folder: Path,
    config: Mapping[str, str],
    *,
    stack: str = "dev",
    secret_keys: Sequence[str] = (),
    preview: bool,
) -> Run:
    """Run a program.

    Args:
        folder: that of its `__main__.py`; the project's name is in its `Pulumi.yaml`, if there is one.
        config: the stack's configuration, with each key's prefix.
        stack: its name.
        secret_keys: the keys of the configuration that are secret.
        preview: as `pulumi preview` does, and not `pulumi up`.
    """
    folder = folder.resolve()
    project = project_name(folder)
    with running_engine(project, stack, preview=preview) as engine:
        done = subprocess.run(
            [sys.executable, "-u", str(EXECUTOR), str(folder)],
            cwd=folder,
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "PYTHON"))},
                "PYTHONDONTWRITEBYTECODE": "1",
                "PULUMI_MONITOR": engine.address,
                "PULUMI_ENGINE": engine.address,
                "PULUMI_PROJECT": project,
                "PULUMI_STACK": stack,
                "PULUMI_DRY_RUN": str(preview).lower(),
                "PULUMI_CONFIG": json.dumps(dict(config)),
                "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(secret_keys)),
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    errors = [message for severity, message in engine.log if severity == "ERROR"]
    return Run(engine.plan, done.returncode, errors, done.stdout + done.stderr)


def project_name(folder: Path) -> str:
    """The name in a program's `Pulumi.yaml`, or `a-project` if it has none."""
    file = folder / "Pulumi.yaml"
    return str(yaml.safe_load(file.read_text())["name"]) if file.exists() else "a-project"


def stack_config(folder: Path, stack: str) -> dict[str, str]:
    """What a stack's file sets, as the `pulumi` command hands it over: all values as text."""
    found = yaml.safe_load((folder / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}
