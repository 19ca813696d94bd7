"""A wrong configuration ends the real program with its own words: before anything is made, and without a traceback."""

from collections.abc import Mapping

import pytest

from chicago_crime_tests.infra_pulumi.plans import TOKEN, TOKEN_KEY, run
from chicago_crime_tests.servers.pulumi_program import Run

WRONG: Mapping[str, tuple[Mapping[str, str], list[str]]] = {
    "many": (
        {
            "gcp:project": "My_Project",
            "gcp:region": "us-central1-a",
            "chicago-crime:bucketName": "a" * 64,
            "chicago-crime:machineType": "e2-micro",
            "chicago-crime:regoin": "x",
            "chicago-crime:operators": '["allUsers"]',
        },
        ["project", "region", "bucketName", "machineType", "regoin", "operators"],
    ),
    "no-project": ({"gcp:project": ""}, ["project"]),
    "no-json": ({"chicago-crime:operators": "user:a@example.com"}, ["operators"]),
}


@pytest.mark.parametrize("case", WRONG)
def test_every_wrong_key_is_named_at_once_and_nothing_is_made(case: str) -> None:
    config, keys = WRONG[case]
    ended = run("dev", config)
    _ended_clearly(ended)
    for key in keys:
        assert key in ended.errors[0], ended.errors[0]
        assert f"pulumi config {'rm' if key == 'regoin' else 'set'}" in ended.errors[0]


def test_a_wrong_token_is_not_shown() -> None:
    ended = run("dev", {TOKEN_KEY: TOKEN, "chicago-crime:source": "kagle"})
    _ended_clearly(ended)
    assert TOKEN not in ended.errors[0] + ended.printed


def _ended_clearly(ended: Run) -> None:
    assert ended.exit_code == 1
    (error,) = ended.errors
    assert error.startswith("The configuration of the stack dev is wrong:")
    assert "Traceback" not in error + ended.printed
    assert ended.plan.made == []
