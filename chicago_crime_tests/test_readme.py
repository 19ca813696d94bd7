"""The README says what is: every table with its grain, every setting with its meaning, every file it shows."""

import re

import pytest

from chicago_crime.settings import PREFIX, Settings
from chicago_crime.storage.google.permissions import EVERY_GRANT, Grant
from chicago_crime.tables import TABLES
from chicago_crime_tests.support import PROJECT

README = (PROJECT / "README.md").read_text()


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_there_with_its_grain(name: str) -> None:
    assert f"| `{name}` | {TABLES[name].grain} |" in README


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_there_with_its_meaning(name: str) -> None:
    assert f"| `{PREFIX}{name.upper()}` | {Settings.model_fields[name].description} |" in README


def test_no_setting_is_told_that_is_none() -> None:
    told = {name.removeprefix(PREFIX).lower() for name in re.findall(rf"`({PREFIX}\w+)`", README)}
    assert told == set(Settings.model_fields)


@pytest.mark.parametrize("grant", EVERY_GRANT, ids=lambda grant: grant.role)
def test_every_role_is_there_with_its_reason(grant: Grant) -> None:
    assert f"| `{grant.role}` | {grant.on} | {grant.to} | {grant.reason} |" in README


def test_what_it_links_to_and_lists_is_there() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    files = [path for path in linked if "://" not in path]
    tree = README.split("## Where things are")[1].split("```")[1]
    folders = re.findall(r"^(\w+/)", tree, re.MULTILINE)
    modules = [f"chicago_crime/{name}" for name in re.findall(r"^  ([\w/.]+)", tree, re.MULTILINE)]
    assert files and folders and modules
    missing = [path for path in [*files, *folders, *modules] if not (PROJECT / path).exists()]
    assert [path for path in missing if path != "data/"] == []
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", README)) <= targets


def test_from_nothing_to_a_year_on_google_cloud_takes_ten_commands_at_most() -> None:
    steps = README.split("### From nothing to a year")[1].split("\n### ")[0]
    commands = re.findall(r"^\$ (\w+)", steps, re.MULTILINE)
    assert 6 < len(commands) <= 10
    assert set(commands) <= {"git", "gcloud", "pulumi", "make"}
