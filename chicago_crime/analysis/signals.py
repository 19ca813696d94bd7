"""What is unusual now: offense groups, crime types and areas whose counts differ from those of earlier years."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import pyarrow as pa

from chicago_crime.analysis.expected import ALIKE, UNLIKE, Floats, expected
from chicago_crime.reference import offense_groups

LEAST = 5
"""Series with fewer crimes than this, on average over all years compared, are not tested: they can show nothing."""

_AREAS = 78
"""The community areas by number, and 0 for crimes in none."""

Of = Literal["all", "group", "type"]
Offense = tuple[Of, str]
"""Whether it is a group, a type or all crimes, and its name: of a group the short one, of all crimes none."""


class Series(NamedTuple):
    """Counts now and in earlier years, in an area or in the city, and the offenses that have them."""

    area: int | None
    counts: Floats
    offenses: list[Offense]


@dataclass(frozen=True)
class Signal:
    """A count of one offense in one place beside what was to be expected.

    Attributes:
        offenses: which is counted, and after it others with the same counts, as a type after its only group.
        area: community area; None for the whole city.
        now: the count.
        before: the counts of the same days of earlier years, in the order in which the years were given.
        low, high: the range in which 95 of 100 such counts lie if nothing changed.
        score: how far the count lies from the middle of the range, as a standard score.
        verdict: unusual, may be chance, usual, or cannot tell.
    """

    offenses: Sequence[Offense]
    area: int | None
    now: int
    before: tuple[int, ...]
    low: float
    high: float
    score: float
    verdict: str


def find_signals(counted: pa.Table, span: str, years_back: Sequence[int]) -> list[Signal]:
    """Every series that can be tested, the most surprising first.

    Args:
        counted: the answer to `sql/pages/signals.sql`.
        span: days_28 or year_to_date.
        years_back: 0 and the earlier years to compare with.
    """
    series = list(_series(counted, span, years_back))
    # False discoveries are controlled among the city's series, and apart from them among the areas'.
    city = [one for one in series if one.area is None]
    areas = [one for one in series if one.area is not None]
    offenses = {offense: number for number, offense in enumerate({one.offenses[0]: None for one in areas})}
    alike = [offenses[one.offenses[0]] for one in areas]
    signals = [*_tested(city, UNLIKE, None), *_tested(areas, ALIKE, alike)]
    return sorted(signals, key=lambda one: -abs(one.score))


def _tested(series: list[Series], worth: int, offense: list[int] | None) -> Iterator[Signal]:
    if not series:
        return
    found = expected([one.counts[1:] for one in series], [one.counts[0] for one in series], worth, offense)
    numbers = (found.low.tolist(), found.high.tolist(), found.score.tolist(), found.verdicts())
    for one, low, high, score, verdict in zip(series, *numbers, strict=True):
        if verdict:
            now, *before = map(int, one.counts)
            yield Signal(one.offenses, one.area, now, tuple(before), low, high, score, verdict)


def _series(counted: pa.Table, span: str, years_back: Sequence[int]) -> Collection[Series]:
    """Counts by number of years back, of each offense in the city and in each area, each series once."""
    by_code, codes = _counts(counted, "iucr", span, years_back)
    by_type, types = _counts(counted, "type", span, years_back)
    groups = {name: [i for i, code in enumerate(codes) if code in one.codes] for name, one in offense_groups().items()}
    offenses: list[tuple[Of, str, Floats]] = [
        *(("group", name, by_code[rows].sum(axis=0)) for name, rows in groups.items()),
        *(("type", name, by_type[row]) for row, name in enumerate(types) if name),
        ("all", "", by_type.sum(axis=0)),
    ]
    found: dict[tuple[float | None, ...], Series] = {}
    for of, name, counts in offenses:
        for area in (None, *range(1, _AREAS)):
            one = counts.sum(axis=0) if area is None else counts[area]
            if one.mean() >= LEAST:  # a type may hold the same crimes as a group
                found.setdefault((area, *one), Series(area, one, [])).offenses.append((of, name))
    return found.values()


def _counts(counted: pa.Table, column: str, span: str, years_back: Sequence[int]) -> tuple[Floats, list[str]]:
    """Counts by value of a column, area and number of years back, and the values."""
    encoded = counted[column].fill_null("").combine_chunks().dictionary_encode()
    area = counted["community_area"].fill_null(0).to_numpy()
    back = np.searchsorted(years_back, counted["years_back"].to_numpy())
    shape = (len(encoded.dictionary), _AREAS, len(years_back))
    place = np.ravel_multi_index((encoded.indices.to_numpy(), np.where(area < _AREAS, area, 0), back), shape)
    totals = np.bincount(place, counted[span].to_numpy(), minlength=int(np.prod(shape)))
    return totals.reshape(shape).astype(float), encoded.dictionary.to_pylist()
