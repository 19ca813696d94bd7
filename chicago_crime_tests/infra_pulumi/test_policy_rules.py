"""The policy pack's rules: each is broken by a program, and fires on that breach and on nothing else."""

from pathlib import Path

import pytest

from chicago_crime_tests.servers.pulumi_check import faults
from chicago_crime_tests.servers.pulumi_plan import Plan
from chicago_crime_tests.servers.pulumi_policy_pack import running_pack
from chicago_crime_tests.servers.pulumi_program import run_program

PROGRAMS = Path(__file__).parent / "programs"
PACK = Path(__file__).parents[2] / "infra_pulumi" / "policy"
OF_THE_STACK = {"data-is-in-one-place"}


@pytest.fixture(scope="module")
def breaches() -> Plan:
    run = run_program(PROGRAMS / "breaches", {}, preview=False)
    assert (run.exit_code, run.errors) == (0, []), run.printed
    return run.plan


def test_the_provider_takes_all_of_it(breaches: Plan) -> None:
    """Otherwise rules might fire on what can never be."""
    assert faults(breaches, preview=False) == []


def test_each_breach_is_told_by_its_own_rule_and_no_other(breaches: Plan) -> None:
    with running_pack(PACK, preview=False) as pack:
        told = pack.judge(breaches)
        rules = set(pack.rules)
    assert all(each.stops for each in told)
    by_name = {(each.rule, each.message.partition(":")[0]) for each in told}
    names = [each.name for each in breaches.resources if each.custom and not each.name.startswith("well")]
    assert by_name == {(name.partition(" ")[0], name) for name in names}
    assert {rule for rule, _ in by_name} == rules - OF_THE_STACK, "a rule is not broken by any program"


def test_a_bucket_and_a_dataset_in_two_places_break_the_rule_of_the_stack() -> None:
    run = run_program(PROGRAMS / "two_places", {}, preview=False)
    with running_pack(PACK, preview=False) as pack:
        (told,) = pack.judge(run.plan)
    assert (told.rule, told.stops) == ("data-is-in-one-place", True)
    assert "dataset in eu; bucket in us-central1" in told.message


def test_users_say_which_environments_data_is_kept_in(breaches: Plan) -> None:
    with running_pack(PACK, preview=False) as pack:
        pack.configure({"data-is-protected": {"environments": ["dev"]}})
        told = [each.message for each in pack.judge(breaches) if each.rule == "data-is-protected"]
    assert any(message.startswith("well: it holds data of dev and is not protected") for message in told)
    assert not any("data of prod" in message for message in told)


def test_every_rule_says_what_it_asks_for() -> None:
    with running_pack(PACK, preview=True) as pack:
        assert len(set(pack.rules)) == len(pack.rules)
        assert all(each.description.endswith(".") for each in pack.info.policies)
        assert (pack.info.name, pack.info.supportsConfig) == ("chicago-crime", True)
