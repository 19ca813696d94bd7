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

_SYSTEM = {"$alt", "$prettyPrint", "projection"}  # parameters of Google's clients that no document lists
_REQUIRED = re.compile(r"\[?Required\b")


class NotOfTheApiError(Exception):
    """A request does not follow the API."""


@dataclass(frozen=True)
class Called:
    """The method that a request calls.

    Attributes:
        method: its name, such as `storage.objects.insert`.
        parameters: decoded parameters of the path.
        is_download: whether the address is for downloads, or requests the content (`alt=media`).
        about: the method's entry in the document.
    """

    method: str
    parameters: dict[str, str]
    is_upload: bool
    is_download: bool
    about: Mapping[str, Any]


@dataclass(frozen=True)
class Api:
    """One API in one version, by its discovery document."""

    document: Mapping[str, Any]

    def check_request(self, http_method: str, path: str, query: Query, body: bytes | Any = b"") -> Called:
        """Check a request. The body is JSON, as bytes or parsed, or empty; for an upload, it is the metadata.

        Raises:
            NotOfTheApiError: there is no such method, or a parameter or field is unknown or missing.
        """
        called = self._method_at(http_method, path, query)
        self._check_parameters(called, query)
        given = json.loads(body) if isinstance(body, bytes) and body else body or None
        request = called.about.get("request")
        if given is not None:
            if not request:
                raise NotOfTheApiError(f"{called.method}: it takes no body, and got {str(given)[:200]}")
            self._check_value(called, request, given, f"{called.method}: body")
        return called

    @cached_property
    def _addresses(self) -> list[tuple[str, re.Pattern[str], Mapping[str, Any], str]]:
        """HTTP method, path pattern, entry and kind of address (plain, upload, download); most specific first."""
        base = "/" + self.document["servicePath"]
        found = []
        for about in _methods(self.document):
            paths = [(base + about["path"], "plain")]
            paths += [(p["path"], "upload") for p in about.get("mediaUpload", {}).get("protocols", {}).values()]
            if about.get("supportsMediaDownload"):
                paths.append(("/download" + base + about["path"], "download"))
            for path, kind in paths:
                literal = len(re.sub(r"\{[^}]*\}", "", path))
                found.append((literal, about["httpMethod"], _pattern(path, about), about, kind))
        return [rest for _, *rest in sorted(found, key=lambda item: -item[0])]

    def _method_at(self, http_method: str, path: str, query: Query) -> Called:
        for wanted, pattern, about, kind in self._addresses:
            if wanted == http_method and (match := pattern.fullmatch(path)):
                return Called(
                    about["id"],
                    {name: unquote(value) for name, value in match.groupdict().items()},
                    is_upload=kind == "upload",
                    is_download=kind == "download" or query.get("alt") == ["media"],
                    about=about,
                )
        raise NotOfTheApiError(f"{self.document['id']} has no method at {http_method} {path}")

    def _check_parameters(self, called: Called, query: Query) -> None:
        known = self.document.get("parameters", {}) | called.about.get("parameters", {})
        protocol = {"upload_id"} if called.is_upload else set()
        for name, values in query.items():
            if name in _SYSTEM | protocol:
                continue
            if name not in known or known[name].get("location") == "path":
                raise NotOfTheApiError(f"{called.method}: unknown parameter {name}")
            if len(values) > 1 and not known[name].get("repeated"):
                raise NotOfTheApiError(f"{called.method}: parameter {name} is given {len(values)} times")
        for name, about in called.about.get("parameters", {}).items():
            if about.get("required") and about.get("location") == "query" and name not in query:
                raise NotOfTheApiError(f"{called.method}: parameter {name} is missing")

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
            if fields and name not in fields and others is None:
                raise NotOfTheApiError(f"{where}: unknown field {name}")
            if item is not None:
                self._check_value(called, fields.get(name) or others or {}, item, f"{where}.{name}")
        for name, field in fields.items():
            if called.about["httpMethod"] != "PATCH" and value.get(name) is None and _is_required(called, field):
                raise NotOfTheApiError(f"{where}: field {name} is missing")


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
        name = match[2]
        given = about["parameters"][name].get("pattern", "").removeprefix("^").removesuffix("$")
        return f"(?P<{name}>{given if match[1] and given else '[^/]+'})"

    parts = re.split(r"(\{\+?\w+\})", path)
    return re.compile(
        "".join(re.sub(r"\{(\+?)(\w+)\}", group, p) if p.startswith("{") else re.escape(p) for p in parts)
    )
