"""Base classes of errors that users can fix, and the commands in their messages.

Any other exception is a bug, and shows its traceback.
"""

import re
import shlex
from pathlib import Path

HOW_TO_LOAD = (
    "To load a year: `chicago-crime run --years 2021 --source portal`; for SYNTHETIC rows, --source sample; "
    "after a failed run, repeat its command"
)
HOW_TO_REPAIR = "again with the command that `chicago-crime status` prints"
_COMMANDS = re.compile(r"\bchicago-crime ([a-z]+)\b(?! --help)(?=([^`\n]*))")


class PlatformError(Exception):
    """An error that users can fix. The message says what happened, where, and what to do."""

    exit_code = 1


class UsageError(PlatformError):
    """An invalid command or setting. Nothing was done."""

    exit_code = 2


def how_to_add(extra: str) -> str:
    """Return how to install an extra of this package, which is not on PyPI."""
    return f"in the project's folder, run `pip install '.[{extra}]'`"


def with_options(text: str, data_dir: Path | None, source: str = "") -> str:
    """Return a text whose commands act on this data folder, and load years from this source.

    Args:
        text: a message.
        data_dir: the data folder; None for the default.
        source: options that choose the source; "" for the default.
    """

    def complete(command: re.Match[str]) -> str:
        name, rest = command.groups()
        is_given = any(option in rest for option in ("--source", "--folder", "--assets"))
        chosen = f" {source}" if source and name == "run" and not is_given else ""
        if data_dir and name != "describe" and "--data-dir" not in rest:
            chosen += f" --data-dir {shlex.quote(str(data_dir))}"
        return command[0] + chosen

    return _COMMANDS.sub(complete, text)
