"""Google's analyzer and reference evaluator for GoogleSQL (ZetaSQL, compiled to wasm).

A thin layer over the package `zetasql` that builds catalogs from names and types, and converts values to Python.
"""

import ctypes
import threading
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import Any
from unittest.mock import patch

from wasmtime import Config
from zetasql.core import ServerError, WasmClient, wasm_client
from zetasql.wasi import get_wasm_path
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.proto import options_pb2, simple_catalog_pb2
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public
from zetasql.wasi._pb2.zetasql.public import type_pb2, value_pb2

Tables = Mapping[str, Sequence[tuple[str, str]]]
Typed = tuple[str, object]
"""A parameter: its type, such as BOOL or ARRAY<STRING>, which NULL and empty lists do not imply, and its value."""

_KINDS = {
    "STRING": type_pb2.TYPE_STRING,
    "INT64": type_pb2.TYPE_INT64,
    "FLOAT64": type_pb2.TYPE_DOUBLE,
    "BOOL": type_pb2.TYPE_BOOL,
    "DATE": type_pb2.TYPE_DATE,
    "DATETIME": type_pb2.TYPE_DATETIME,
    "TIMESTAMP": type_pb2.TYPE_TIMESTAMP,
}
_PLAIN = {"STRING": "string_value", "INT64": "int64_value", "FLOAT64": "double_value", "BOOL": "bool_value"}
"""Types whose values are the same in Python -> field of the value."""
_NAMES = {kind: name for name, kind in _KINDS.items()}
_EPOCH = date(1970, 1, 1)

# Features of ZetaSQL that BigQuery lacks and that would change which statements are valid or what they return.
_NOT_IN_BIGQUERY = (
    public.FEATURE_TIMESTAMP_NANOS,
    public.FEATURE_TIMESTAMP_PICOS,
    public.FEATURE_DISALLOW_GROUP_BY_FLOAT,
    public.FEATURE_PROTO_BASE,
    public.FEATURE_WITH_GROUP_ROWS,
)


class GoogleSQLError(Exception):
    """Google's analyzer or evaluator rejects a statement; the message is its own."""


class Analyzer:
    """GoogleSQL over the tables of a catalog, in which _PARTITIONTIME is a pseudo column.

    It is thread-safe: calls are serialized.
    """

    def __init__(self, tables: Tables) -> None:
        self._tables = {name: list(columns) for name, columns in tables.items()}

    def check(self, sql: str, parameters: Mapping[str, Typed] = {}) -> list[tuple[str, str]]:
        """Analyze a statement; returns the columns of a query and their types, none for other statements."""
        options, catalog = _options(parameters), self._catalog_id
        request = service.AnalyzeRequest(sql_statement=sql, options=options, registered_catalog_id=catalog)
        found = _call("Analyze", request, service.AnalyzeResponse).resolved_statement
        columns = found.resolved_query_stmt_node.output_column_list
        return [(column.name, _type_name(column.column.type)) for column in columns]

    def evaluate(
        self, sql: str, rows: Mapping[str, Sequence[Mapping[str, object]]], parameters: Mapping[str, Typed] = {}
    ) -> list[dict[str, Any]]:
        """Run a query with Google's reference implementation.

        Missing columns are NULL, and missing tables are empty. Returns the rows in the query's order if it has one.
        """
        request = service.EvaluateQueryRequest(sql=sql, options=_options(parameters))
        request.simple_catalog.CopyFrom(_catalog(self._tables))
        for name, columns in self._tables.items():
            content = request.table_content[name].table_data
            content.SetInParent()
            for row in rows.get(name, ()):
                content.row.add(cell=[_to_value(row.get(column), kind) for column, kind in columns])
        for name, (kind, value) in parameters.items():
            request.params.add(name=name, value=_to_value(value, kind))
        answer = _call("EvaluateQuery", request, service.EvaluateQueryResponse)
        names = [(column.name, column.type) for column in answer.prepared.columns]
        return [
            {name: _from_value(cell, kind) for (name, kind), cell in zip(names, row.cell, strict=True)}
            for row in answer.content.table_data.row
        ]

    @cached_property
    def _catalog_id(self) -> int:
        # The module keeps registered catalogs, because building one takes longer than most analyses.
        request = service.RegisterCatalogRequest(simple_catalog=_catalog(self._tables))
        return int(_call("RegisterCatalog", request, service.RegisterResponse).registered_id)


def _cached() -> Config:
    config = Config()
    config.cache = True
    return config


class _Wasm(WasmClient):
    """The package's client, with the compiled module cached on disk, because compiling takes half a minute.

    It copies blocks of memory, not byte by byte.
    """

    def __init__(self) -> None:
        with patch.object(wasm_client, "Config", _cached):
            super().__init__(str(get_wasm_path()))

    def write_bytes(self, ptr: int, data: bytes) -> None:
        ctypes.memmove(self._address(ptr), data, len(data))

    def read_bytes(self, ptr: int, size: int) -> bytes:
        return ctypes.string_at(self._address(ptr), size)

    def _address(self, ptr: int) -> int:
        return ctypes.addressof(self.memory.data_ptr().contents) + ptr


_lock = threading.RLock()
_wasm = cache(_Wasm)


def _call(method: str, request: Any, answer: Any) -> Any:
    with _lock:
        try:
            return _wasm().call_grpc_func(f"ZetaSqlLocalService_{method}", request, answer)
        except ServerError as error:
            raise GoogleSQLError(error.raw_error.partition("Message: ")[2] or error.message) from error


@cache
def _language() -> options_pb2.LanguageOptionsProto:
    request = service.LanguageOptionsRequest(maximum_features=True)
    language = _call("GetLanguageOptions", request, options_pb2.LanguageOptionsProto)
    wanted = [feature for feature in language.enabled_language_features if feature not in _NOT_IN_BIGQUERY]
    del language.enabled_language_features[:]
    language.enabled_language_features.extend(wanted)
    del language.supported_statement_kinds[:]  # every kind is valid
    language.product_mode = public.PRODUCT_EXTERNAL
    return language


def _options(parameters: Mapping[str, Typed]) -> options_pb2.AnalyzerOptionsProto:
    options = options_pb2.AnalyzerOptionsProto(language_options=_language(), default_timezone="UTC")
    for name, (kind, _) in parameters.items():
        options.query_parameters.add(name=name, type=_type(kind))
    options.ddl_pseudo_columns.add(name="_PARTITIONTIME", type=_type("TIMESTAMP"))
    return options


def _catalog(tables: Tables) -> simple_catalog_pb2.SimpleCatalogProto:
    root = simple_catalog_pb2.SimpleCatalogProto(name="root")
    root.builtin_function_options.language_options.CopyFrom(_language())
    for number, (name, columns) in enumerate(tables.items(), 1):
        table = root.table.add(name=name, serialization_id=number)
        for column, kind in columns:
            table.column.add(name=column, type=_type(kind), is_pseudo_column=column == "_PARTITIONTIME")
    return root


def _type(name: str) -> type_pb2.TypeProto:
    if name.startswith("ARRAY<"):
        array = type_pb2.ArrayTypeProto(element_type=_type(name.removeprefix("ARRAY<").removesuffix(">")))
        return type_pb2.TypeProto(type_kind=type_pb2.TYPE_ARRAY, array_type=array)
    return type_pb2.TypeProto(type_kind=_KINDS[name])


def _type_name(kind: type_pb2.TypeProto) -> str:
    return _NAMES.get(kind.type_kind) or type_pb2.TypeKind.Name(kind.type_kind).removeprefix("TYPE_")


def _to_value(value: Any, kind: str) -> value_pb2.ValueProto:
    new = value_pb2.ValueProto
    if value is None:
        return new()
    if kind.startswith("ARRAY<"):
        element = kind.removeprefix("ARRAY<").removesuffix(">")
        array = new(array_value=new.Array(element=[_to_value(one, element) for one in value]))
        array.array_value.SetInParent()
        return array
    if kind in _PLAIN:
        return new(**{_PLAIN[kind]: value})
    match kind:
        case "DATE":
            return new(date_value=(value - _EPOCH).days)
        case "DATETIME":
            bits = value.year << 26 | value.month << 22 | value.day << 17
            bits |= value.hour << 12 | value.minute << 6 | value.second
            return new(datetime_value=new.Datetime(bit_field_datetime_seconds=bits, nanos=value.microsecond * 1000))
        case "TIMESTAMP":
            stamp = new()
            stamp.timestamp_value.FromDatetime(value)
            return stamp
    raise TypeError(f"values of type {kind} are not supported")


def _from_value(value: value_pb2.ValueProto, kind: type_pb2.TypeProto) -> Any:
    which = value.WhichOneof("value")
    if which is None:
        return None
    found = getattr(value, which)
    if which in _PLAIN.values():
        return found
    match which:
        case "date_value":
            return _EPOCH + timedelta(days=found)
        case "datetime_value":
            bits = found.bit_field_datetime_seconds
            clock = (bits >> 12 & 31, bits >> 6 & 63, bits & 63, found.nanos // 1000)
            return datetime(bits >> 26, bits >> 22 & 15, bits >> 17 & 31, *clock)
    raise TypeError(f"values of type {_type_name(kind)} are not supported: cast them")
