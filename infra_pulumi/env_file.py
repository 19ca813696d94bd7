"""Writes the stack's outputs as an environment file: `pulumi stack output --json | python3 env_file.py > .env`.

A shell, `docker compose` and systemd all read the file alike. The module needs only the standard library.
"""

import json
import re
import sys
from collections.abc import Mapping

PREFIX = "CHICAGO_CRIME_"
SAFE = re.compile(r"[\w@%+=:,./-]+", re.ASCII)


def as_lines(outputs: Mapping[str, str]) -> str:
    """The settings among the outputs, sorted, one `NAME=value` per line. Other outputs are left out.

    Raises:
        ValueError: there are no settings, or a value would have to be quoted.
    """
    settings = {name: str(value) for name, value in outputs.items() if name.startswith(PREFIX)}
    if not settings:
        raise ValueError(
            "the stack has no outputs: run `pulumi up` first, or choose a stack with `pulumi stack select`"
        )
    for name, value in settings.items():
        if not SAFE.fullmatch(value):  # programs read quotes differently
            raise ValueError(f"{name}={value!r} cannot be written without quotes")
    return "".join(f"{name}={value}\n" for name, value in sorted(settings.items()))


def main() -> None:
    """Read outputs as JSON from standard input, and write the file to standard output."""
    try:
        sys.stdout.write(as_lines(json.load(sys.stdin)))
    except ValueError as error:
        sys.exit(f"Cannot write an environment file: {error}")


if __name__ == "__main__":
    main()
