"""The page Incidents: the crimes behind any number, page by page, and the blocks with the most crimes."""

import math
from dataclasses import replace

from chicago_crime.dashboard import caveats
from chicago_crime.dashboard.page_request import NothingMatchesError, PageRequest
from chicago_crime.dashboard.view import CRIMES, Column, Link, PageTable, Section, View, arrests_number, part_number

ROWS_SHOWN = 50
ROWS_DOWNLOADED = 50_000
BLOCKS_SHOWN = 20
COUNT_BLOCKS_UP_TO = 1_000_000
"""Crimes in the chosen years up to which the page counts blocks without a click."""

COLUMNS = (
    Column("date", "Date", "time"),
    Column("block", "Block"),
    Column("primary_type", "Type", "prose"),
    Column("description", "Description", "prose"),
    Column("location_description", "Location", "prose"),
    Column("area", "Area"),
    Column("arrest", "Arrest", "flag"),
    Column("domestic", "Domestic", "flag"),
    Column("case_number", "Case"),
    *(Column(name, name, is_shown=False) for name in ("id", "iucr", "fbi_code", "community_area", "district", "beat")),
    *(Column(name, name, is_shown=False) for name in ("ward", "latitude", "longitude")),
)
SORTABLE = {column.name for column in COLUMNS if column.is_shown}


def incidents(request: PageRequest) -> View:
    """Build the page."""
    by_year, counted = request.matching("year")
    crimes = counted["crimes"]
    pages = math.ceil(crimes / ROWS_SHOWN)
    if request.filters.page > pages:
        exist = f"{pages:,} page{'s' if pages > 1 else ''}"
        raise NothingMatchesError(f"Page {request.filters.page:,} does not exist: these incidents have {exist}.")
    return View(
        "Which crimes are behind the numbers?",
        numbers=[
            replace(request.reported(crimes), link=""),  # which would lead here
            arrests_number(counted, " ".join([*caveats.few(counted["flagged"]), caveats.ARREST])),
            part_number("Without a location", counted["without_location"], crimes),
        ],
        sections=[
            _incidents(request, {year: counts["crimes"] for year, counts in by_year.items()}),
            *([_blocks(request)] if len(request.filters.block) != 1 else []),
        ],
    )


def _incidents(request: PageRequest, by_year: dict[int, int]) -> Section:
    name = request.filters.sort.removeprefix("incidents:")
    sorted_by = name.removeprefix("-") if name.removeprefix("-") in SORTABLE else "date"
    is_descending = name != sorted_by
    row_count = ROWS_DOWNLOADED if request.download == "incidents" else ROWS_SHOWN
    skipped = 0 if request.download else (request.filters.page - 1) * ROWS_SHOWN
    years = sorted(by_year)
    if sorted_by == "date":  # by date, only the years with these rows need to be read
        years, skipped = _years_of_rows(by_year, skipped, row_count, is_descending)
    found = request.answer(
        "incidents", years, sorted_by=sorted_by, is_descending=is_descending, row_count=row_count, skipped=skipped
    )
    rows = [row | {"area": request.area_name(row["community_area"])} for row in found.to_pylist()]
    notes = [caveats.BLOCK, *caveats.on_records(request), *caveats.incomparable(request, request.years)]
    crimes = sum(by_year.values())
    if crimes > ROWS_DOWNLOADED:
        notes.append(
            f"Downloads contain the first {ROWS_DOWNLOADED:,} rows in this order. For more, choose fewer years, or "
            'write the filters in SQL: chicago-crime query "from enriched_crimes where ..." --output crimes.parquet'
        )
    table = PageTable("incidents", f"Incidents in {request.period_text}", COLUMNS, rows, ROWS_SHOWN, matching=crimes)
    return Section(
        "incidents",
        "Incidents",
        "One row per reported crime; for homicides, one per victim. The data does not name victims or suspects.",
        notes,
        tables=[table],
    )


def _years_of_rows(
    by_year: dict[int, int], skipped: int, row_count: int, is_newest_first: bool
) -> tuple[list[int], int]:
    """Return the years that contain some rows sorted by date, and how many of their rows to skip."""
    years: list[int] = []
    for year in sorted(by_year, reverse=is_newest_first):
        if not years and skipped >= by_year[year]:
            skipped -= by_year[year]
            continue
        years.append(year)
        if sum(by_year[one] for one in years) >= skipped + row_count:
            break
    return years, skipped


def _blocks(request: PageRequest) -> Section:
    name, title = "blocks", "Blocks with the most crimes"
    to_count = sum(request.facts.years[year].crimes for year in request.years)
    if request.is_interactive and to_count > COUNT_BLOCKS_UP_TO and not request.filters.sort.startswith(f"{name}:"):
        link = Link("Count crimes by block", f"/incidents?{request.reordered(f'{name}:-crimes')}#{name}")
        intro = f"Counting the crimes of {request.period_text} by block takes a moment."
        return Section(name, title, intro, link=link, is_wide=False)
    rows = request.answer("blocks").to_pylist()
    columns, caption = (Column("block", "Block"), CRIMES), f"Crimes by block, {request.period_text}"
    table = PageTable(name, caption, columns, rows, BLOCKS_SHOWN)
    shown = {row["block"] for row in table.ordered(request.filters.sort)[:BLOCKS_SHOWN]}
    for row in rows:
        if (block := row["block"]) in shown:  # links for all rows would take seconds
            row |= {"link": request.toggled("block", block), "incidents": request.incidents(block=block)}
    return Section(
        name,
        title,
        "A block is 100 street numbers, such as 001XX N STATE ST. Click a block to add or remove it as a filter.",
        tables=[table],
        is_wide=False,
    )
