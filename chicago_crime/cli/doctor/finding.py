"""What a check of the doctor found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Attributes:
        what: what was checked.
        state: "broken" fails a run; a "warning" does not.
        detail: what is wrong, or how it is.
        fix: the command or the step that fixes it; "" if nothing is wrong.
    """

    what: str
    state: Literal["ok", "warning", "broken"]
    detail: str
    fix: str = ""
