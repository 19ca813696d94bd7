"""Writes the stack's outputs as an environment file: `pulumi stack output --json | python3 env_file.py > .env`.

Shells, `docker compose` and systemd all parse the file identically. This module needs only the standard library.
"""

import json
import re
import sys
from collections.abc import Mapping

PREFIX = "CHICAGO_CRIME_"
PLAIN = re.compile(r"[\w@%+=:,./-]+", re.ASCII)
UNSAFE = re.compile(r"['\\\x00-\x1f]")
"""Characters that these programs parse differently, even in single quotes."""


def as_lines(outputs: Mapping[str, str]) -> str:
    """Return the settings among the outputs, sorted, one `NAME=value` per line. Other outputs are ignored.

    Raises:
        ValueError: a value cannot be quoted.
    """
    settings = {name: str(value) for name, value in outputs.items() if name.startswith(PREFIX)}
    for name, value in settings.items():
        if found := UNSAFE.search(value):  # the value may be a secret
            raise ValueError(f"{name} has the character {found[0]!r}, which cannot be quoted for all programs")
    quoted = {name: value if PLAIN.fullmatch(value) else f"'{value}'" for name, value in settings.items()}
    return "".join(f"{name}={value}\n" for name, value in sorted(quoted.items()))


def main() -> None:
    """Read outputs as JSON from standard input, and write the file to standard output."""
    try:
        lines = as_lines(json.load(sys.stdin))
        if not lines:
            sys.exit("The stack has no outputs: run `pulumi up` first, or choose a stack with `pulumi stack select`.")
        sys.stdout.write(lines)
    except ValueError as error:
        sys.exit(f"Cannot write an environment file: {error}")


if __name__ == "__main__":
    main()
