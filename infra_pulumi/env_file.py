"""The stack's outputs as an environment file: `pulumi stack output --json | python3 env_file.py > .env`.

Here belongs writing settings as lines that a shell, `docker compose` and systemd read alike. It needs Python only.
"""

import json
import re
import sys
from collections.abc import Mapping

PREFIX = "CHICAGO_CRIME_"
_SAFE = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def as_lines(outputs: Mapping[str, str]) -> str:
    """The settings among the outputs, one `NAME=value` a line, in order. Other outputs are left out.

    Raises:
        ValueError: there is no setting, or a value would be read differently by different programs.
    """
    settings = {name: str(value) for name, value in outputs.items() if name.startswith(PREFIX)}
    if not settings:
        raise ValueError(
            "the stack has no outputs: run `pulumi up` first, and `pulumi stack select` if there are several"
        )
    for name, value in settings.items():
        if not _SAFE.fullmatch(value):  # programs disagree on quotes, so there are none
            raise ValueError(f"{name}={value!r} cannot be written without quotes")
    return "".join(f"{name}={value}\n" for name, value in sorted(settings.items()))


def main() -> None:
    """Read outputs as JSON from standard input, write lines to standard output."""
    try:
        sys.stdout.write(as_lines(json.load(sys.stdin)))
    except ValueError as error:
        sys.exit(f"No environment file: {error}")


if __name__ == "__main__":
    main()
