"""The README is complete and correct: every table, setting and role; every link, folder and command."""

import re

import pytest

from chicago_crime.settings import PREFIX, Settings
from chicago_crime.storage.google.permissions import EVERY_GRANT, Grant
from chicago_crime.tables import TABLES
from chicago_crime_tests.support import PROJECT

README = (PROJECT / "README.md").read_text()


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_listed_with_its_grain(name: str) -> None:
    assert f"| `{name}` | {TABLES[name].grain} |" in README


def test_every_setting_is_listed_with_its_description_and_no_other() -> None:
    rows = {f"| `{PREFIX}{name.upper()}` | {field.description} |" for name, field in Settings.model_fields.items()}
    assert [row for row in rows if row not in README] == []
    mentioned = {name.removeprefix(PREFIX).lower() for name in re.findall(rf"`({PREFIX}\w+)`", README)}
    assert mentioned == set(Settings.model_fields)


@pytest.mark.parametrize("grant", EVERY_GRANT, ids=lambda grant: grant.role)
def test_every_role_is_listed_with_its_reason(grant: Grant) -> None:
    assert f"| `{grant.role}` | {grant.on} | {grant.to} | {grant.reason} |" in README


def test_links_folders_and_make_targets_exist() -> None:
    files = [path for path in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in path]
    tree = README.split("## Where things are")[1].split("```")[1]
    folders = re.findall(r"^(\w+/)", tree, re.MULTILINE)
    modules = [f"chicago_crime/{name}" for name in re.findall(r"^  ([\w/.]+)", tree, re.MULTILINE)]
    assert files and folders and modules
    missing = [path for path in [*files, *folders, *modules] if not (PROJECT / path).exists()]
    assert [path for path in missing if path != "data/"] == []
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", README)) <= targets


def test_a_year_on_google_cloud_takes_at_most_ten_commands() -> None:
    steps = README.split("### From nothing to a year")[1].split("\n### ")[0]
    commands = re.findall(r"^\$ (\w+)", steps, re.MULTILINE)
    assert 6 < len(commands) <= 10
    assert set(commands) <= {"git", "gcloud", "pulumi", "make"}
