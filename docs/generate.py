"""Generate tables, columns, settings, commands and roles in the documentation from the code.

`python docs/generate.py` replaces the text between `<!-- NAME -->` and `<!-- /NAME -->`. A test fails if it is out of
date. The dashboard and the static site show the page on methods, so the package includes a copy.
"""

import sys
from pathlib import Path

import typer.main
from click import Context

from chicago_crime.cli.app import app
from chicago_crime.settings import OTHER_VARIABLES, PREFIX, PROJECT_FOLDER, Settings
from chicago_crime.storage.google.permissions import EVERY_GRANT
from chicago_crime.tables.dictionary import asset_table, data_dictionary

REFERENCE = Path("docs", "reference")


def settings() -> str:
    """Return a table of all settings with meaning and default."""
    rows = ["| variable | meaning | default |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default in (None, "") else f"`{field.default}`"
        default = "`data` in the project's folder" if name == "data_dir" else default
        default = f"`{OTHER_VARIABLES[name]}`" if name in OTHER_VARIABLES else default
        rows.append(f"| `{PREFIX}{name.upper()}` | {field.description} | {default} |")
    return "\n".join(rows)


def roles() -> str:
    """Return a table of the roles each account needs, with the reason."""
    rows = ["| role | on | for | why |", "|---|---|---|---|"]
    rows += [f"| `{grant.role}` | {grant.on} | {grant.to} | {grant.reason} |" for grant in EVERY_GRANT]
    return "\n".join(rows)


def commands() -> str:
    """Return all commands with help, arguments and options."""
    group = typer.main.get_command(app)
    parts = []
    for name, command in sorted(group.commands.items()):  # type: ignore[attr-defined]
        context = Context(command, info_name=f"chicago-crime {name}")
        parts.append(f"## {name}\n\n{command.help}\n\n```\n{command.get_usage(context).removeprefix('Usage: ')}\n```\n")
        rows = [option.get_help_record(context) for option in command.params]
        options = [(names, " ".join(text.split())) for names, text in filter(None, rows)]
        if options:
            table = "".join(f"| `{names}` | {text} |\n" for names, text in options)
            parts.append(f"| option | meaning |\n|---|---|\n{table}")
    return "\n".join(parts).rstrip()


PARTS = {
    "tables": (Path("README.md"), asset_table),
    "dictionary": (REFERENCE / "data-dictionary.md", data_dictionary),
    "settings": (REFERENCE / "settings.md", settings),
    "commands": (REFERENCE / "cli.md", commands),
    "roles": (REFERENCE / "roles.md", roles),
}


def generated() -> dict[Path, str]:
    """Return the up-to-date text of each page, by its path in the project."""
    pages = {}
    for name, (page, write) in PARTS.items():
        before, after = f"<!-- {name} -->", f"<!-- /{name} -->"
        text = (PROJECT_FOLDER / page).read_text()
        start, end = text.index(before) + len(before), text.index(after)
        pages[page] = f"{text[:start]}\n\n{write().strip()}\n\n{text[end:]}"
    pages[Path("chicago_crime", "dashboard", "methods.md")] = (PROJECT_FOLDER / REFERENCE / "methods.md").read_text()
    return pages


if __name__ == "__main__":
    for page, text in generated().items():
        (PROJECT_FOLDER / page).write_text(text)
        print(f"{page} written", file=sys.stderr)
