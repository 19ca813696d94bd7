"""Offense groups, crime types and areas whose counts differ from earlier years."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from chicago_crime.analysis.expected import (
    BY_CHANCE,
    OTHER_OFFENSES,
    SAME_OFFENSE,
    TOO_FEW,
    UNUSUAL,
    USUAL,
    Floats,
    expected,
)
from chicago_crime.reference import offense_groups

MIN_MEAN = 5
"""Minimum mean count per year; smaller series have no power and are not tested."""

MAX_UNPLACED_SHARE = 0.01
"""If more than this share of crimes has no place, counts by place are too low to compare."""

_AREAS = 78
"""Community areas 1 to 77, and 0 for crimes without one."""

Kind = Literal["all", "group", "type"]
Offense = tuple[Kind, str]
"""Kind of offense and its name: the short name of a group, the type, or "" for all crimes."""

Series = tuple[int | None, tuple[int, ...]]
"""An area (None for the city), and its counts now and in earlier years."""


@dataclass(frozen=True)
class Signal:
    """The count of an offense in one place, compared with earlier years.

    Attributes:
        offenses: the offense counted, followed by others with identical counts, such as a group's only type.
        area: community area; None for the city.
        before: counts of the same days of earlier years, in the given order of years.
        low, high: whole numbers within the 95% prediction interval if nothing changed.
        score: z-score of the count.
        verdict: unusual, may be chance, usual, or cannot tell.
    """

    offenses: Sequence[Offense]
    area: int | None
    now: int
    before: tuple[int, ...]
    low: int
    high: int
    score: float
    verdict: str


def find_signals(counted: pa.Table, span: str, years_back: Sequence[int]) -> list[Signal]:
    """Return a signal for each series that can be tested: unusual ones first, the city's before those of its areas.

    Args:
        counted: result of `sql/pages/signals.sql`.
        span: days_28 or year_to_date.
        years_back: 0 and the earlier years to compare with, ascending.
    """
    series = _series(counted, span, years_back)
    # The false discovery rate is controlled separately for citywide series and for areas.
    city = {one: offenses for one, offenses in series.items() if one[0] is None}
    areas = {one: offenses for one, offenses in series.items() if one[0] is not None}
    numbers = {offense: number for number, offense in enumerate(dict.fromkeys(first for first, *_ in areas.values()))}
    pools = [numbers[first] for first, *_ in areas.values()]
    signals = [*_tested(city, OTHER_OFFENSES, None), *_tested(areas, SAME_OFFENSE, pools)]
    verdicts = (UNUSUAL, BY_CHANCE, USUAL, TOO_FEW)
    return sorted(signals, key=lambda one: (verdicts.index(one.verdict), one.area is not None, -abs(one.score)))


def _tested(series: Mapping[Series, Sequence[Offense]], weight: int, pools: list[int] | None) -> Iterator[Signal]:
    if not series:
        return
    found = expected([before for _, (_, *before) in series], [now for _, (now, *_) in series], weight, pools)
    tested = zip(series.items(), found.ranges(), found.score.tolist(), found.verdicts(), strict=True)
    for ((area, (now, *before)), offenses), (low, high), score, verdict in tested:
        if verdict and low is not None and high is not None:
            yield Signal(offenses, area, now, tuple(before), low, high, score, verdict)


def _series(counted: pa.Table, span: str, years_back: Sequence[int]) -> dict[Series, list[Offense]]:
    """Collect the counts of each offense, citywide and by area. Offenses with identical counts share a series."""
    by_code, codes = _counts(counted, "iucr", span, years_back)
    by_type, types = _counts(counted, "type", span, years_back)
    groups = {name: [i for i, code in enumerate(codes) if code in one.codes] for name, one in offense_groups().items()}
    offenses: list[tuple[Kind, str, Floats]] = [
        *(("group", name, by_code[rows].sum(axis=0)) for name, rows in groups.items()),
        *(("type", name, by_type[row]) for row, name in enumerate(types) if name),
        ("all", "", by_type.sum(axis=0)),
    ]
    found = defaultdict[Series, list[Offense]](list)
    for kind, name, counts in offenses:
        is_placed = (counts[0] <= np.maximum(MAX_UNPLACED_SHARE * counts.sum(axis=0), MIN_MEAN)).all()
        for area in (None, *(range(1, _AREAS) if is_placed else ())):
            one = counts.sum(axis=0) if area is None else counts[area]
            if one.mean() >= MIN_MEAN:
                found[area, tuple(one.astype(int).tolist())].append((kind, name))
    return found


def _counts(counted: pa.Table, column: str, span: str, years_back: Sequence[int]) -> tuple[Floats, list[str]]:
    """Return an array of counts by value of a column, area and years back, and the values."""
    encoded = counted[column].fill_null("").combine_chunks().dictionary_encode()
    area = counted["community_area"].fill_null(0).to_numpy()
    back = np.searchsorted(years_back, counted["years_back"].to_numpy())
    shape = (len(encoded.dictionary), _AREAS, len(years_back))
    place = np.ravel_multi_index((encoded.indices.to_numpy(), np.where(area < _AREAS, area, 0), back), shape)
    totals = np.bincount(place, counted[span].to_numpy(), minlength=int(np.prod(shape)))
    return totals.reshape(shape).astype(float), encoded.dictionary.to_pylist()
