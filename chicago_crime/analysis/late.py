"""How much the newest days will still grow: what earlier loads of the same data did not know yet."""

LEAST_ADDED = 100
"""Fewer late reports than this say little."""


def growth(known: int, added: int) -> float | None:
    """The share by which the four weeks before a load grew until now; None if there are too few late reports to say.

    Args:
        known: crimes of the four weeks before earlier loads, as they are known now.
        added: those of them that were added only later.
    """
    return added / (known - added) if LEAST_ADDED <= added < known else None
