"""The plans of the real program, each made once for all tests: which stacks, with which options.

Here belongs running `infra_pulumi/` against the engine of the tests. What must be true of a plan is in the tests.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from chicago_crime_tests.servers.pulumi_program import Run, run_program, stack_config

PROGRAM = Path(__file__).parents[2] / "infra_pulumi"
PACK = PROGRAM / "policy"
PROJECT = "a-project"
TOKEN = "KGAT_a_token_that_must_not_be_seen"
TOKEN_KEY = "chicago-crime:kaggleToken"

ALL_OPTIONS = {
    TOKEN_KEY: TOKEN,
    "chicago-crime:source": "kaggle",
    "chicago-crime:nat": "true",
    "chicago-crime:operators": '["user:you@example.com", "group:analysts@example.com"]',
    "chicago-crime:githubRepository": "owner/name",
    "chicago-crime:billingAccount": "012345-6789AB-CDEF01",
    "chicago-crime:monthlyBudget": "80",
}
"""Everything that is off by default, switched on."""

STACKS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "dev": ("dev", {}),
    "prod": ("prod", {}),
    "dev-all": ("dev", ALL_OPTIONS),
    "prod-all": ("prod", ALL_OPTIONS),
}
"""Name of a case -> the stack, and what is set beside its file."""


@cache
def plan(case: str, *, preview: bool) -> Run:
    """The run of a case, as `pulumi preview` or as `pulumi up` of an empty project."""
    stack, more = STACKS[case]
    return run(stack, more, preview=preview)


def run(stack: str, more: Mapping[str, str], *, preview: bool = True) -> Run:
    """A run with a stack's file and what is set beside it; a key without a value is taken away."""
    config = {**stack_config(PROGRAM, stack), "gcp:project": PROJECT, **more}
    set_keys = {key: value for key, value in config.items() if value}
    return run_program(PROGRAM, set_keys, stack=stack, secret_keys=[TOKEN_KEY], preview=preview)
