"""Checks that the snapshot contains the values of filters: a count of zero would look like an answer."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from chicago_crime.dashboard.data import Data
from chicago_crime.dashboard.filters import LABELS, Filters, plain
from chicago_crime.errors import UsageError

OF_SNAPSHOT = ("type", "description", "area", "district", "ward", "beat", "block", "location")
"""The filters whose values depend on the snapshot."""


def known(have: Mapping[str, Any], wanted: Iterable[object], what: str) -> tuple[Any, ...]:
    """Look up values by name, ignoring case and punctuation; `what` is what errors call a value.

    Raises:
        UsageError: a value does not exist; the message suggests similar ones.
    """
    texts, found = [*map(str, wanted)], []
    # Skip normalizing tens of thousands of blocks if all names match exactly, as in most requests.
    by_plain = {} if have.keys() >= {*texts} else {plain(name): name for name in reversed([*have])}
    for text in texts:
        name = text if text in have else by_plain.get(plain(text))
        if name is None:
            near = ", ".join(closest(by_plain, text)) or "none"
            raise UsageError(f"there is no {what} {text!r}. Closest matches: {near}")
        found.append(have[name])
    return tuple(found)


def require_known(data: Data, filters: Filters) -> Filters:
    """Return the filters with values spelled as in the snapshot; areas may be names.

    Raises:
        UsageError: the snapshot does not contain a value; the message suggests similar ones.
    """
    wanted = {name: values for name in OF_SNAPSHOT if (values := getattr(filters, name))}
    return filters.changed(
        **{name: known(_values(data, name), chosen, LABELS.get(name, name)) for name, chosen in wanted.items()}
    )


def _values(data: Data, name: str) -> dict[str, Any]:
    """Return the values of a filter by name."""
    facts = data.facts()
    match name:
        case "area":
            return {name: number for number, name in facts.areas.items()} | {str(one): one for one in facts.areas}
        case "block":
            return {one: one for one in data.blocks()}
    return {str(one): one for one in facts.choices[name]}


def closest(by_plain: Mapping[str, str], text: str, most: int = 3, cutoff: float = 0.4) -> list[str]:
    """Return the names most similar to a text; of numbers, the nearest."""
    if text.isdecimal() and all(name.isdecimal() for name in by_plain):
        found = sorted(sorted(by_plain, key=lambda name: (abs(int(name) - int(text)), int(name)))[:most], key=int)
    else:
        found = difflib.get_close_matches(plain(text), by_plain, n=most, cutoff=cutoff)
    return [by_plain[name] for name in found]
