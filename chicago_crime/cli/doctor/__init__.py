"""`chicago-crime doctor`: check the installation and print a fix for each problem."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        what: what was checked.
        state: "broken" fails a run; a "warning" does not.
        detail: the problem, or the current state.
        fix: the command or step that fixes it; "" if nothing is wrong.
    """

    what: str
    state: Literal["ok", "warning", "broken"]
    detail: str
    fix: str = ""
