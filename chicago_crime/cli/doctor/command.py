"""The command `doctor`: print the settings, the result of each check, and a fix for each problem."""

from typing import TYPE_CHECKING, Annotated

import typer

from chicago_crime.cli.options import DataOption, FolderOption, SourceOption, chosen_installation

if TYPE_CHECKING:
    from chicago_crime.installation import Installation

STYLES = {"ok": "green", "warning": "yellow", "broken": "red"}


def doctor(
    source: SourceOption = None,
    folder: FolderOption = None,
    data_dir: DataOption = None,
    notify: Annotated[bool, typer.Option("--notify", help="Send a test message to CHICAGO_CRIME_ALERTS.")] = False,
) -> None:
    """Check the installation, and print a fix for each problem."""
    if notify:
        _send_test(chosen_installation(source=source, folder=folder, data_dir=data_dir))
        return
    from rich.table import Table
    from rich.text import Text

    from chicago_crime.cli.doctor.examine import examine
    from chicago_crime.cli.screen import out, printable

    installation = chosen_installation(source=source, folder=folder, data_dir=data_dir)
    for name in sorted(installation.settings.model_fields_set):  # the others have their defaults
        out.print(printable(installation.settings.assigned(name)))
    findings = list(examine(installation))
    table = Table("what", "state", "detail")
    table.columns[0].overflow = table.columns[2].overflow = "fold"  # paths are long words
    for one in findings:
        detail = out.complete(printable(one.detail))
        table.add_row(printable(one.what), Text(one.state, style=STYLES[one.state]), detail)
    out.print(table)
    for one in findings:
        if one.fix:  # on one line, so that a command can be copied
            out.print(f"\n{one.what} ({one.state}). What to do:\n  {one.fix}", soft_wrap=True)
    if any(one.state == "broken" for one in findings):
        raise typer.Exit(1)


def _send_test(installation: "Installation") -> None:
    from chicago_crime.cli.screen import out
    from chicago_crime.errors import PlatformError, UsageError
    from chicago_crime.graph.alerts import send, send_to_each

    addresses = installation.settings.alerts
    if addresses is None:
        raise UsageError("set CHICAGO_CRIME_ALERTS to the addresses that should receive alerts")
    title, lines = "Chicago crime data: test alert", ["Alerts will arrive here."]
    if missed := send_to_each(addresses.get_secret_value(), lambda _, address: send(address, title, lines)):
        raise PlatformError(f"The test message was sent, but {missed}.")
    out.print("The test message was sent.")
