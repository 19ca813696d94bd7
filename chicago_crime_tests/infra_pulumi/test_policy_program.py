"""The policy pack, as its own process, judges the plans of the real program: it has nothing to say."""

import pytest

from chicago_crime_tests.infra_pulumi.plans import PACK, STACKS, plan
from chicago_crime_tests.servers.pulumi_policy_pack import running_pack


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_no_stack_breaks_a_rule_and_no_rule_must_wait(preview: bool) -> None:
    with running_pack(PACK, project="chicago-crime", preview=preview) as pack:
        told = {case: pack.judge(plan(case, preview=preview).plan) for case in STACKS}
    assert told == {case: [] for case in STACKS}
