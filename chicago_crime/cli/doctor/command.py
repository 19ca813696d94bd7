"""The command `doctor`: the settings, and a table of what works with a fix for each problem."""

import typer

from chicago_crime.cli.options import DataOption, FolderOption, SourceOption, chosen_installation, plain_errors

STYLES = {"ok": "green", "warning": "yellow", "broken": "red"}


def doctor(source: SourceOption = None, folder: FolderOption = None, data_dir: DataOption = None) -> None:
    """Check the installation, and print a fix for each problem."""
    with plain_errors():
        from rich.table import Table
        from rich.text import Text

        from chicago_crime.cli.doctor.examine import examine
        from chicago_crime.cli.screen import out, printable
        from chicago_crime.settings import PREFIX

        installation = chosen_installation(source=source, folder=folder, data_dir=data_dir)
        for name, value in installation.settings.model_dump().items():
            out.print(printable(f"{PREFIX}{name.upper()}={'' if value is None else value}"))
        findings = list(examine(installation))
        table = Table("what", "state", "detail")
        table.columns[0].overflow = table.columns[2].overflow = "fold"  # paths are long words
        for one in findings:
            table.add_row(printable(one.what), Text(one.state, style=STYLES[one.state]), printable(one.detail))
        out.print(table)
        for one in findings:
            if one.fix:  # in one line, so that a command can be copied as a whole
                out.print(f"\n{one.what} ({one.state}). What to do:\n  {one.fix}", soft_wrap=True)
        if any(one.state == "broken" for one in findings):
            raise typer.Exit(1)
