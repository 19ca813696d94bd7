"""What the sample's chance is made of: the measured profile as weights to draw with and texts to write.

Which rows come of it belongs in `sample_rows.py`.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from chicago_crime.sources.sample.profile import CLASSES, Floats, Integers, cells, profile


class Weights:
    """Draws options by their weights; each group of a two-dimensional array has weights of its own."""

    def __init__(self, weights: Floats | Integers | Sequence[Sequence[float]]) -> None:
        table = np.atleast_2d(np.asarray(weights, dtype=float))
        self.groups, self.options = table.shape
        shares = np.cumsum(table, axis=1) / table.sum(axis=1, keepdims=True)
        # One rising line through all groups, so that a single search finds every row's option.
        self._line = (shares + np.arange(self.groups)[:, None]).ravel()

    def draw(self, rng: np.random.Generator, group: Integers) -> Integers:
        """An option for each entry, by the weights of the entry's group."""
        found = np.searchsorted(self._line, group + rng.random(len(group)), side="right") - group * self.options
        return np.minimum(found, self.options - 1)


@dataclass(frozen=True)
class Dice:
    """Everything to draw from, ready to use; types, classes and kinds by their number."""

    kind: Weights
    hour: Weights
    minute: Weights
    location: Weights
    cell: Weights
    type_of_kind: Integers
    class_of_kind: Integers
    is_homicide: np.ndarray
    arrest: Floats
    domestic: Floats
    kind_text: pa.Array
    fbi_text: pa.Array
    location_text: pa.Array


@lru_cache
def load_dice() -> Dice:
    """The measured profile, ready to draw from."""
    of = profile()
    types = sorted({kind.primary_type for kind in of.kinds})
    places = sorted({place for name in types for place in of.locations.get(name, {})})
    share_known = 1 - of.without_location_description
    locations = np.zeros((len(types), len(places) + 1))
    for row, name in enumerate(types):
        counts = of.locations.get(name, {})
        for place, count in counts.items():
            locations[row, places.index(place)] = share_known * count / sum(counts.values())
        locations[row, -1] = 1 - locations[row].sum()
    return Dice(
        kind=Weights([[kind.crimes for kind in of.kinds]]),
        hour=Weights([of.hours[name] for name in types]),
        minute=Weights([of.minutes_after_midnight, of.minutes]),
        location=Weights(locations),
        cell=Weights(cells().crimes),
        type_of_kind=np.array([types.index(kind.primary_type) for kind in of.kinds]),
        class_of_kind=np.array([CLASSES.index(kind.offense_class) for kind in of.kinds]),
        is_homicide=np.array([kind.fbi_code == "01A" for kind in of.kinds]),
        arrest=np.array([kind.arrest for kind in of.kinds]),
        domestic=np.array([kind.domestic for kind in of.kinds]),
        kind_text=pa.array([_csv(kind.iucr, kind.primary_type, kind.description) for kind in of.kinds]),
        fbi_text=pa.array([kind.fbi_code for kind in of.kinds]),
        location_text=pa.array([_csv(place) for place in places] + [""]),
    )


def _csv(*fields: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()
