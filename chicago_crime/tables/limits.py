"""Thresholds of the checks that compare a year with others."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How far a year may differ before a check fails or warns.

    Attributes:
        shrink: share of the loaded rows that a year may lose.
        rejected: share of rows that may be rejected.
        quarantined: share of lines that may be unreadable.
        share_shift: how far the share of a crime type, or of a column's NULLs, may move from one year to the next.
    """

    shrink: float = 0.01
    rejected: float = 0.01
    quarantined: float = 0.001
    share_shift: float = 0.05
