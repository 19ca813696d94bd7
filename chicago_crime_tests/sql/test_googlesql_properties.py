"""Random dirt: whatever a raw row holds, both engines type it alike."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chicago_crime_tests.sql.dirt import COLUMNS, DATES, NUMBERS
from chicago_crime_tests.sql.engines import google, in_duckdb, in_order, typed, written
from chicago_crime_tests.support import NAMES

YEAR = 2014
TYPED = f"SELECT * EXCEPT (raw), raw.id AS raw_id FROM ({written('fragments/typed_crimes')})"
"""The rows of crimes (without a reason) and of rejected_crimes (with one)."""

RAW = {"raw_crimes": [(name, "STRING") for name in NAMES]}

# Letters that become several in another case are a known difference, see `duckdb_dialect.py`; the gate keeps out
# surrogates and NUL.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0").filter(
    lambda letter: len(letter.upper()) == len(letter.lower()) == len(letter.title()) == 1
)
ANY_TEXT = st.text(CHARACTERS, max_size=12)
SPACE = st.text(st.sampled_from(" \t\n\r\v\f\x85\u00a0\u2003\u3000"), max_size=2)


def spaced(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.builds(lambda before, text, after: before + text + after, SPACE, texts, SPACE)


def numbers_of(low: int, high: int) -> st.SearchStrategy[str]:
    """Whole numbers with and without leading zeros."""
    return st.builds(lambda n, width: str(n).zfill(width), st.integers(low, high), st.integers(1, 4))


CLOCK = st.builds(":".join, st.lists(numbers_of(0, 61), min_size=2, max_size=3))
DAY = st.one_of(
    st.builds(
        "{}/{}/{}".format, numbers_of(0, 13), numbers_of(0, 32), st.sampled_from(["2014", "2013", "14", "02014"])
    ),
    st.builds("{}-{}-{}".format, st.sampled_from(["2014", "2015", "0000"]), numbers_of(0, 13), numbers_of(0, 32)),
)
MOMENTS = st.builds(
    "{}{}{}{}".format,
    DAY,
    st.sampled_from([" ", "T", "  ", "", "\t"]),
    CLOCK,
    st.sampled_from(["", " AM", " PM", "PM", " pm", ".000", " UTC", "Z", "-06:00", " x"]),
)
GOOD_MOMENTS = st.datetimes(min_value=datetime(2013, 12, 30), max_value=datetime(2015, 1, 2)).map(
    lambda moment: moment.strftime("%m/%d/%Y %I:%M:%S %p")
)
DECIMALS = st.decimals(-200, 200, places=9).map(str) | st.floats(-2e6, 2e6, allow_subnormal=False).map(
    lambda number: f"{number:.12f}"
)
NUMBER_TEXTS = st.one_of(
    st.integers(-5, 100).map(str),
    st.integers(0, 10**20).map(str),
    st.integers(0, 3000).map(lambda number: f"{number}.0"),
    DECIMALS,
)


def some(*usual: st.SearchStrategy[str], odd: list[str]) -> st.SearchStrategy[str | None]:
    return st.one_of(*usual, *map(spaced, usual), st.sampled_from(odd), ANY_TEXT, st.none())


VALUES: dict[str, st.SearchStrategy[str | None]] = {
    "id": st.one_of(st.sampled_from(["1", "2", "3.0"]), some(NUMBER_TEXTS, odd=NUMBERS)),  # few, so that they repeat
    **dict.fromkeys(("date", "updated_on"), st.one_of(GOOD_MOMENTS, some(MOMENTS, odd=DATES))),
    **{
        name: some(NUMBER_TEXTS, odd=odd) if odd is NUMBERS else some(ANY_TEXT, odd=odd)
        for name, odd in COLUMNS.items()
        if name != "updated_on"
    },
}
ROWS = st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=25)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(ROWS)
def test_rows_are_typed_alike(rows: list[dict[str, Any]]) -> None:
    raw = [dict.fromkeys(NAMES) | row | {"_PARTITIONTIME": datetime(YEAR, 1, 1, tzinfo=UTC)} for row in rows]
    theirs = google().evaluate(TYPED, {"raw_crimes": raw}, typed({"year": YEAR}))
    ours = in_duckdb(TYPED, {"raw_crimes": raw}, {"year": YEAR}, RAW)
    assert len(ours) == len(rows)
    assert in_order(ours) == in_order(theirs)
