"""Checks requests against Google's discovery documents: names and required fields.

The documents are part of `google-api-python-client`. Unknown fields in a body are errors, although some of Google's
services ignore them.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import unquote

from googleapiclient import discovery_cache

Query = Mapping[str, list[str]]
"""A request's query, as parsed by `urllib.parse.parse_qs`."""

_SYSTEM = {"$alt", "$prettyPrint", "projection", "upload_id"}  # parameters of Google's clients that no document lists
_REQUIRED = re.compile(r"\[?Required\b")


@dataclass(frozen=True)
class Called:
    """The method that a request calls.

    Attributes:
        method: its name, such as `storage.objects.insert`.
        parameters: decoded parameters of the path.
        about: the method's entry in the document.
    """

    method: str
    parameters: dict[str, str]
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Api:
    """One API in one version, by its discovery document."""

    document: Mapping[str, Any]

    def check_request(self, http_method: str, path: str, query: Query, body: bytes) -> Called:
        """Check a request. The body is JSON or empty; for an upload, it is the metadata.

        Raises:
            AssertionError: there is no such method, or a parameter or field is unknown or missing.
        """
        called = self._method_at(http_method, path)
        self._check_parameters(called, query)
        if body:
            assert "request" in called.about, f"{called.method}: it takes no body, and got {str(body)[:200]}"
            self._check_value(called, called.about["request"], json.loads(body), f"{called.method}: body")
        return called

    @cached_property
    def _addresses(self) -> list[tuple[str, re.Pattern[str], Mapping[str, Any]]]:
        """HTTP method, path pattern and entry; most specific first."""
        base = "/" + self.document["servicePath"]
        found = []
        for about in _methods(self.document):
            paths = [base + about["path"]]
            paths += [one["path"] for one in about.get("mediaUpload", {}).get("protocols", {}).values()]
            if about.get("supportsMediaDownload"):
                paths.append("/download" + base + about["path"])
            for path in paths:
                literal = len(re.sub(r"\{[^}]*\}", "", path))
                found.append((literal, about["httpMethod"], _pattern(path, about), about))
        return [rest for _, *rest in sorted(found, key=lambda item: -item[0])]

    def _method_at(self, http_method: str, path: str) -> Called:
        for wanted, pattern, about in self._addresses:
            if wanted == http_method and (match := pattern.fullmatch(path)):
                parameters = {name: unquote(value) for name, value in match.groupdict().items()}
                return Called(about["id"], parameters, about)
        raise AssertionError(f"{self.document['id']} has no method at {http_method} {path}")

    def _check_parameters(self, called: Called, query: Query) -> None:
        known = self.document.get("parameters", {}) | called.about.get("parameters", {})
        for name in query.keys() - _SYSTEM:
            about, times = known.get(name, {}), len(query[name])
            assert about.get("location") == "query", f"{called.method}: unknown parameter {name}"
            assert times == 1 or about.get("repeated"), f"{called.method}: parameter {name} is given {times} times"
        required = {name for name, one in known.items() if one.get("required") and one["location"] == "query"}
        assert required <= query.keys(), f"{called.method}: a parameter of {required} is missing"

    def _check_value(self, called: Called, about: Mapping[str, Any], value: Any, where: str) -> None:
        """Check the fields of a body at every depth."""
        about = self.document["schemas"][about["$ref"]] if "$ref" in about else about
        if about.get("type") == "array":
            for index, item in enumerate(value):
                self._check_value(called, about["items"], item, f"{where}[{index}]")
        if about.get("type") != "object":
            return
        fields, others = about.get("properties", {}), about.get("additionalProperties")
        for name, item in value.items():
            assert not fields or name in fields or others is not None, f"{where}: unknown field {name}"
            if item is not None:
                self._check_value(called, fields.get(name) or others or {}, item, f"{where}.{name}")
        for name, field in fields.items():
            is_missing = called.about["httpMethod"] != "PATCH" and value.get(name) is None
            assert not (is_missing and _is_required(called, field)), f"{where}: field {name} is missing"


def _is_required(called: Called, field: Mapping[str, Any]) -> bool:
    """Storage's document lists the methods that require a field; newer documents state it in the description."""
    is_listed = called.method in field.get("annotations", {}).get("required", [])
    return is_listed or bool(_REQUIRED.match(field.get("description", "")))


@cache
def api(name: str) -> Api:
    """An API by name and version, such as `storage.v1`."""
    return Api(json.loads(discovery_cache.get_static_doc(*name.split(".", 1))))


def _methods(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from resource.get("methods", {}).values()
    for below in resource.get("resources", {}).values():
        yield from _methods(below)


def _pattern(path: str, about: Mapping[str, Any]) -> re.Pattern[str]:
    """A regular expression for a path such as `/v1/{+name}:cancel`; `{+name}` may span slashes as its pattern says."""

    def group(match: re.Match[str]) -> str:
        given = about["parameters"][match[2]].get("pattern", "").removeprefix("^").removesuffix("$")
        return f"(?P<{match[2]}>{given if match[1] and given else '[^/]+'})"

    return re.compile(re.sub(r"\\\{(\\\+)?(\w+)\\\}", group, re.escape(path)))
