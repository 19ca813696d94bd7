"""The content of a page as data, for programs."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field

from chicago_crime.dashboard.page_request import NoCrimesError, Page, PageRequest
from chicago_crime.dashboard.view import Number, PageTable, View

MAX_ROWS = 1000


class ColumnAnswer(BaseModel):
    """A column: its name in the rows, its label on the page, and the kind of its values."""

    name: str
    label: str
    kind: str


class TableAnswer(BaseModel):
    """A table. Shares and rates of change are fractions: 0.25 is 25%."""

    name: str
    caption: str
    columns: list[ColumnAnswer]
    rows: list[dict[str, Any]]
    matching: int = Field(description="Number of matching rows; `rows` may be one page of them, or the first ones.")
    total: dict[str, Any] | None = Field(description="Totals of all rows; null if they do not add up.")


class SectionAnswer(BaseModel):
    """A section of a page, with its caveats and tables."""

    name: str
    title: str
    intro: str
    caveats: list[str]
    tables: list[TableAnswer]


class Answer(BaseModel):
    """The content of one page."""

    question: str
    snapshot: str = Field(description="Id of the published snapshot: the same id and filters give the same response.")
    citation: str
    filters: dict[str, list[str]] = Field(description="The filters as read; `notes` names those that do not apply.")
    years: list[int] = Field(description="Years that the response covers.")
    synthetic_years: list[int] = Field(description="Loaded years of made-up sample data.")
    notes: list[str] = Field(description="Such as filters that do not apply, and years that are not loaded.")
    numbers: Sequence[Number]
    sections: list[SectionAnswer]


class Problem(BaseModel):
    """Why there is no answer, and what to do."""

    problem: str


def answer_page(request: PageRequest, page: Page, rows: int = MAX_ROWS) -> Answer:
    """Return the content of a page as data; if no crime matches, the answer is zero."""
    try:
        view = page(request)
    except NoCrimesError as error:
        request.notes.append(str(error))
        view = View("How many crimes match?", numbers=[request.reported(0)])
    filters: dict[str, list[str]] = {}
    for name, text in request.filters.pairs():
        filters.setdefault(name, []).append(text)
    return Answer(
        question=view.question,
        snapshot=request.data.catalog.snapshot,
        citation=request.citation,
        filters=filters,
        years=request.years,
        synthetic_years=request.facts.synthetic,
        notes=request.notes,
        numbers=view.numbers,
        sections=[
            SectionAnswer(**vars(one) | {"caveats": one.notes, "tables": [_table(table, rows) for table in one.tables]})
            for one in view.sections
        ],
    )


def _table(table: PageTable, most: int) -> TableAnswer:
    names = [column.name for column in table.columns]
    return TableAnswer(
        name=table.name,
        caption=table.caption,
        columns=[ColumnAnswer(**vars(column)) for column in table.columns],
        rows=[{name: row[name] for name in names} for row in table.rows[:most]],
        matching=table.matching or len(table.rows),
        total={name: value for name, value in table.total.items() if name in names} if table.total else None,
    )
