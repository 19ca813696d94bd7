"""The README and the documentation match the code: generated parts, links, commands, targets and folders."""

import re
import shlex
from pathlib import Path
from runpy import run_path

import pytest
import typer.main

from chicago_crime.cli.app import app
from chicago_crime_tests.support import PROJECT

DOCS = PROJECT / "docs"
PAGES = [
    *sorted(DOCS.rglob("*.md")),
    *(PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "deploy/README.md")),
]
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def name_of(page: Path) -> str:
    return str(page.relative_to(PROJECT))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_generated_parts_are_up_to_date() -> None:
    generated = run_path(str(DOCS / "generate.py"))["generated"]()
    outdated = [str(page) for page, text in generated.items() if (PROJECT / page).read_text() != text]
    assert outdated == [], "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_to_existing_files_and_headings(page: Path) -> None:
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        target, _, anchor = link.partition("#")
        if "://" in link:
            continue
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_make_targets_and_commands_exist(page: Path) -> None:
    text = page.read_text()
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ((?:[a-z-]+ ?)+)(?:`| *#|$)", text, re.MULTILINE))
    assert {target for names in named for target in names.split()} <= targets
    for line in re.findall(r"(?:^|`)(?:\.venv/bin/)?chicago-crime ([a-z][^`\n#]*)", text, re.MULTILINE):
        name, *arguments = shlex.split(line.split(" '")[0].split(' "')[0])
        assert name in COMMANDS, line
        options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert {word for word in arguments if word.startswith("-")} <= options | {"--help"}, line


def test_every_page_is_in_the_navigation() -> None:
    nav = (PROJECT / "mkdocs.yml").read_text().partition("\nnav:\n")[2]
    named = set(re.findall(r"[\w/-]+\.md", nav))
    assert named == {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}


def test_the_architecture_page_lists_the_folders_of_the_package() -> None:
    listed = re.findall(r"^\| `(\w+)/` \|", (DOCS / "architecture.md").read_text(), re.MULTILINE)
    folders = [path.parent.name for path in (PROJECT / "chicago_crime").glob("*/__init__.py")]
    assert sorted(listed) == sorted(folders)
