"""Tests of `chicago_crime/sources/header.py`."""

import pytest

from chicago_crime.sources.header import HeaderError, read_header
from chicago_crime.tables.columns import SOURCE_COLUMNS
from chicago_crime_tests.support import NAMES


@pytest.mark.parametrize("name", [column.name for column in SOURCE_COLUMNS if column.needed])
def test_a_missing_required_column_is_refused(name: str) -> None:
    with pytest.raises(HeaderError, match=f"lacks {name}"):
        read_header([other for other in NAMES if other != name])


def test_two_names_of_one_column_are_refused() -> None:
    with pytest.raises(HeaderError, match="'unique_key' and 'Unique Key'"):
        read_header(["unique_key", *NAMES[1:], "Unique Key"])


def test_the_citys_own_name_takes_precedence() -> None:
    header = read_header(["_id", "Crime Type", "Unique Key", *NAMES])
    assert header.ignored == ("_id", "Crime Type", "Unique Key")
    assert header.positions == tuple(range(3, 25))


def test_a_tables_name_before_all_names_is_ignored() -> None:
    header = read_header([f"default.crimes.{name}" for name in NAMES])
    assert header.positions == tuple(range(22))
    assert read_header([name.replace("_", ".") for name in NAMES]).positions == header.positions  # as R writes them


def test_a_row_number_is_no_id() -> None:
    with pytest.raises(HeaderError, match=r"lacks id \(found: _id, "):
        read_header(["_id", *NAMES[1:]])
