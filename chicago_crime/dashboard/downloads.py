"""Downloads of tables as CSV, Parquet, Excel and JSON, their file names, and titles of saved charts."""

import io
import json
import re
from collections.abc import Callable
from textwrap import wrap

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import xlsxwriter

from chicago_crime.dashboard.page_request import PageRequest
from chicago_crime.dashboard.view import SYNTHETIC
from chicago_crime.tables.years import format_years

MAX_SLUG = 80
"""Maximum length of the filters in a file name: file systems allow 255 characters in all."""

MAX_LINE = 90
"""Characters that fit on a line above a saved chart."""


def file_name(request: PageRequest, page: str, table: str) -> str:
    """Build the name of a download, without extension: page, table, filters, years or days, and snapshot."""
    start = dict(request.applied).get("start")
    active = [one for one in request.applied if one[0] not in ("as_of", "start", "finish")]
    labels = " ".join(request.filter_label(name, value) for name, value in active)
    filters = re.sub(r"[^a-z0-9]+", "-", labels.lower())[:MAX_SLUG].strip("-")
    days, last = format_years(request.years).replace(",", "+"), request.last_day
    if start or (last.month, last.day) != (12, 31):
        first = start or (days if "+" in days else days[:-5])  # without the last year
        days = f"{first}-to-{last}".removeprefix("-")
    parts = ["chicago-crime", page, table, filters, days, request.data.catalog.snapshot]
    return "-".join(part for part in (*parts, SYNTHETIC if request.facts.synthetic else "") if part)


def picture_title(request: PageRequest, what: str, intro: str) -> dict[str, list[str]]:
    """Build the title of a saved chart: content, years and filters, and how to read and cite it."""
    chosen = [request.period_text, *(request.filter_label(name, value) for name, value in request.applied)]
    return {
        "text": [what, *wrap(", ".join(chosen), MAX_LINE)],
        "subtitle": [*wrap(intro, MAX_LINE), *wrap(request.citation, MAX_LINE)],
    }


def _csv(rows: pa.Table, citation: str) -> bytes:
    """Write CSV; text that spreadsheets would run as a formula starts with an apostrophe (OWASP, "CSV injection").

    Quotes do not help, because spreadsheets remove them first. The other formats have types.
    """
    for number, column in enumerate(rows.columns):
        if pa.types.is_string(column.type):
            is_formula = pc.match_substring_regex(column, r"^[=+\-@\t\r\n]")
            safe = pc.if_else(is_formula, pc.binary_join_element_wise("'", column, ""), column)
            rows = rows.set_column(number, rows.field(number).name, safe)
    buffer = io.BytesIO()
    pyarrow.csv.write_csv(rows, buffer)
    return buffer.getvalue()


def _parquet(rows: pa.Table, citation: str) -> bytes:
    buffer = io.BytesIO()
    pyarrow.parquet.write_table(rows.replace_schema_metadata({"citation": citation}), buffer)
    return buffer.getvalue()


def _json(rows: pa.Table, citation: str) -> bytes:
    content = {"citation": citation, "rows": rows.to_pylist()}
    return json.dumps(content, default=lambda value: value.isoformat(), indent=1).encode()


def _xlsx(rows: pa.Table, citation: str) -> bytes:
    """Write Excel; strings are typed as strings, not as formulas or links."""
    buffer = io.BytesIO()
    has_times = any(pa.types.is_timestamp(field.type) for field in rows.schema)
    dates = "yyyy-mm-dd hh:mm" if has_times else "yyyy-mm-dd"
    options = {"constant_memory": True, "default_date_format": dates, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"comments": citation})
        sheet, bold = book.add_worksheet(), book.add_format({"bold": True})
        sheet.set_column(0, rows.num_columns - 1, 18)
        sheet.write_row(0, 0, rows.column_names, bold)
        sheet.freeze_panes(1, 0)
        sheet.add_write_handler(str, type(sheet).write_string)
        for number, row in enumerate(zip(*(column.to_pylist() for column in rows.columns), strict=True), 1):
            for at, value in enumerate(row):  # write_row would stop at the first overlong string
                sheet.write(number, at, value)
    return buffer.getvalue()


FORMATS: dict[str, tuple[str, Callable[[pa.Table, str], bytes]]] = {
    "csv": ("text/csv; charset=utf-8", _csv),
    "parquet": ("application/vnd.apache.parquet", _parquet),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _xlsx),
    "json": ("application/json", _json),
}
"""File extension -> media type, and the function that writes rows with their citation."""
