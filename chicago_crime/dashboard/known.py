"""What a snapshot has none of is refused, with the nearest that it has: a zero would look like an answer."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import Filters
from chicago_crime.errors import UsageError


def nearest(have: Mapping[str, Any], text: str) -> str:
    """The values whose keys are most like a text, or nearest to a number, separated by commas."""
    if text.isdecimal() and all(isinstance(one, int) for one in have.values()):
        return ", ".join(map(str, sorted(sorted(have.values(), key=lambda one: abs(one - int(text)))[:3])))
    close = difflib.get_close_matches(text, have, n=3, cutoff=0.4) or list(have)[:3]
    return ", ".join(str(have[one]) for one in close)


def known(have: Sequence[Any], wanted: Iterable[Any], what: str) -> list[Any]:
    """The wanted values, as they are written in `have`.

    Raises:
        UsageError: one is not there; the message names the nearest.
    """
    by_text, found = {str(one).upper(): one for one in have if one is not None}, []
    for one in wanted:
        text = str(one).upper()
        if text not in by_text:
            raise UsageError(f"there is no {what} {one!r}. The nearest: {nearest(by_text, text)}")
        found.append(by_text[text])
    return found


def require_known(data: Data, filters: Filters) -> None:
    """Raise UsageError if no crime of the snapshot has a chosen type, description, place or kind of location."""
    facts = data.facts()
    for have, wanted, what in (
        (facts.types, filters.type, "crime type"),
        (facts.choices["description"], filters.description, "description"),
        (facts.choices["location_description"], filters.location, "kind of location"),
        (facts.choices["district"], filters.district, "district"),
        (facts.choices["ward"], filters.ward, "ward"),
        (facts.choices["beat"], filters.beat, "beat"),
        (data.blocks() if filters.block else [], filters.block, "block"),
    ):
        if absent := [one for one in wanted if one not in have]:
            [right] = known(have, absent[:1], what)
            raise UsageError(f"there is no {what} {absent[0]!r}: write it as {right}")
