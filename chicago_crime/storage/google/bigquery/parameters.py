"""Values of a statement's parameters, as BigQuery takes them: each with its type.

Here belongs finding the types, also of what does not tell its own: NULL and the empty list.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, cast

from google.cloud import bigquery

from chicago_crime.tables import TABLES

_TYPES: dict[type, str] = {bool: "BOOL", int: "INT64", float: "FLOAT64", str: "STRING", date: "DATE"}
_ELEMENTS = {
    "years": "INT64",
    "classes": "STRING",
    "types": "STRING",
    "areas": "INT64",
    "districts": "INT64",
    "months": "DATE",
    "whole_months": "DATE",
}
"""Types of lists that may be empty, by parameter: an empty list does not tell its own."""

# Of columns of one name those of the typed tables count, which come after the raw one.
_COLUMNS = {column.name: column.type for table in TABLES.values() for column in table.columns}


def query_parameters(parameters: Mapping[str, object]) -> list[Any]:
    """Values as BigQuery takes them. NULL has the type of the column that its parameter is named after."""
    found: list[Any] = []
    for name, value in parameters.items():
        if isinstance(value, Sequence) and not isinstance(value, str):
            kind = _TYPES[type(value[0])] if value else _ELEMENTS.get(name, "STRING")
            found.append(bigquery.ArrayQueryParameter(name, kind, list(value)))
        else:
            kind = _COLUMNS.get(name, "STRING") if value is None else _TYPES[type(value)]
            found.append(bigquery.ScalarQueryParameter(name, kind, cast(Any, value)))
    return found
