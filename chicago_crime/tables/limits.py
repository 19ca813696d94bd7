"""How far a year may differ from what is loaded before a check fails or warns."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How much a year may differ before a check speaks up.

    Attributes:
        shrink: share of its rows that a year may lose against what is loaded.
        rejected: share of rows that may be rejected.
        quarantined: share of lines that may be unreadable.
        share_shift: how far the share of NULLs of a column, or of a crime type, may move from one year to the next.
    """

    shrink: float = 0.01
    rejected: float = 0.01
    quarantined: float = 0.001
    share_shift: float = 0.05
