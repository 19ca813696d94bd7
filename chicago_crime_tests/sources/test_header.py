"""Tests of the header reader: publishers' spellings of our columns."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chicago_crime.sources.header import HeaderError, read_header
from chicago_crime.tables.columns import SOURCE_COLUMNS
from chicago_crime_tests.support import NAMES

KAGGLE = [
    *("ID", "Case Number", "Date", "Block", "IUCR", "Primary Type", "Description", "Location Description", "Arrest"),
    *("Domestic", "Beat", "District", "Ward", "Community Area", "FBI Code", "X Coordinate", "Y Coordinate", "Year"),
    *("Updated On", "Latitude", "Longitude", "Location"),
]


@pytest.mark.parametrize("header", [NAMES, KAGGLE, [name.upper() for name in NAMES]])
def test_the_canonical_columns_are_known_in_any_spelling(header: list[str]) -> None:
    assert read_header(header).is_canonical


def test_the_spellings_of_other_publishers_are_known() -> None:
    spelled = {
        "id": "unique_key",
        "case_number": "CASE#",
        "date": "DATE  OF OCCURRENCE",
        "primary_type": " PRIMARY DESCRIPTION",
        "description": " SECONDARY DESCRIPTION",
        "fbi_code": "FBI CD",
        "iucr": " IUCR",
    }
    header = read_header([spelled.get(name, name) for name in NAMES])
    assert header.is_canonical


@given(st.randoms())
def test_order_does_not_matter(chance: random.Random) -> None:
    shuffled = chance.sample(KAGGLE, len(KAGGLE))
    positions = read_header(shuffled).positions
    assert [shuffled[index] for index in positions if index is not None] == KAGGLE


@pytest.mark.parametrize("name", [column.name for column in SOURCE_COLUMNS if column.needed])
def test_a_column_that_matters_may_not_be_missing(name: str) -> None:
    with pytest.raises(HeaderError, match=f"lacks {name}"):
        read_header([other for other in NAMES if other != name])


def test_two_columns_of_one_meaning_are_refused() -> None:
    with pytest.raises(HeaderError, match="'Unique Key'"):
        read_header(["unique_key", *NAMES[1:], "Unique Key"])


def test_the_citys_own_name_goes_before_another_spelling() -> None:
    header = read_header(["Crime Type", "Unique Key", *NAMES])
    assert header.ignored == ("Crime Type", "Unique Key")
    assert header.positions == tuple(range(2, 24))
