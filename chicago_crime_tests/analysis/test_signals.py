"""Tests of `chicago_crime/analysis/signals.py`."""

import pyarrow as pa

from chicago_crime.analysis.signals import find_signals


def counted(*rows: tuple[int, str, str, int | None, int]) -> pa.Table:
    """Return a result of `sql/pages/signals.sql`: years back, code, type, area, and crimes of both periods."""
    names = ("years_back", "iucr", "type", "community_area", "days_28", "year_to_date")
    return pa.Table.from_pylist([dict(zip(names, (*row, 5 * row[-1]), strict=True)) for row in rows])


def test_signals_cover_groups_types_and_areas_unusual_ones_first() -> None:
    rows = [
        (back, code, type_, area, crimes)
        for code, type_, area, history in [
            ("0910", "MOTOR VEHICLE THEFT", 25, [212, 140, 148, 136, 150, 139]),
            ("0910", "MOTOR VEHICLE THEFT", 8, [60, 62, 57, 61, 55, 60]),
            ("0820", "THEFT", 8, [300, 310, 320, 290, 305, 300]),
            ("0110", "HOMICIDE", None, [1, 0, 2, 0, 1, 0]),  # too few to be tested
        ]
        for back, crimes in enumerate(history)
    ]
    found = find_signals(counted(*rows), "days_28", range(6))
    order = ["unusual", "may be chance", "usual", "cannot tell"]
    assert [order.index(one.verdict) for one in found] == sorted(order.index(one.verdict) for one in found)
    unusual = [one for one in found if one.verdict == "unusual"]
    assert [(one.area, one.now) for one in unusual] == [(None, 272), (None, 573), (25, 212)]
    first = unusual[2]
    assert first.offenses[0] == ("group", "vehicle_theft")
    assert first.before == (140, 148, 136, 150, 139)
    assert 110 < first.low < 125 < 160 < first.high < 180
    assert {one.verdict for one in found if one.area == 8} == {"usual"}
    named = {(*one.offenses[0], one.area) for one in found}
    assert ("type", "THEFT", 8) in named
    assert not [one for one in named if one[1] in ("homicide", "MOTOR VEHICLE THEFT")]  # the group has the same crimes
    assert find_signals(counted(*rows).slice(0, 0), "year_to_date", range(6)) == []
