"""What the provider's package itself says of a resource: each input's name, type, whether it must be there, its values.

Here belongs reading that from the classes of `pulumi_gcp`: the names over the wire from their getters, types from
their annotations, and the values that a text may have from their documentation, where it lists them.
"""

import importlib
import inspect
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

import pulumi
import pulumi_gcp
from pulumi._types import input_type_py_to_pulumi_names, is_input_type
from pulumi.runtime import rpc

_LISTS_VALUES = re.compile(
    r"\b(?:(?:possible|valid|acceptable|allowed|supported|accepted) values(?: for \w+)?(?: are| include)?(?: one of)?"
    r"|(?:must|can|may|should) be (?:one of|either|set to one of)"
    r"|one of the following values|value may be one of|takes? (?:one of )?the following values)[:\s]+",
    re.IGNORECASE,
)
_VALUE = re.compile(r"\s*(?:[*-]\s+)?(?:[`\"']{1,2}([A-Za-z0-9_.-]+)[`\"']{1,2}|([A-Z][A-Z0-9_]{2,}))")
_BETWEEN = re.compile(r"\s*(?:,\s*(?:and|or)?|and|or|/)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Property:
    """An input, or a part of one.

    Attributes:
        name: over the wire.
        hint: its Python type.
        is_required: whether it must be there.
        values: those that a text may have, as far as the package lists them; otherwise empty.
    """

    name: str
    hint: Any
    is_required: bool
    values: frozenset[str]


@cache
def arguments_of(kind: str) -> type | None:
    """The class of a resource's inputs, by the token of its type; nothing if the package has no such resource."""
    if kind == "pulumi:providers:gcp":
        return typing.cast(type, importlib.import_module("pulumi_gcp.provider").ProviderArgs)
    package, _, rest = kind.partition(":")
    place = rest.partition(":")[0]
    if package != pulumi_gcp.__name__.removeprefix("pulumi_"):
        return None
    registered = rpc.get_resource_module(package, place, "")
    entry = getattr(registered, "mod_info", {})
    if kind not in entry.get("classes", {}):
        return None
    resource = getattr(importlib.import_module(entry["fqn"]), entry["classes"][kind])
    module = importlib.import_module(resource.__module__)
    # `...InitArgs` where a part of another resource has the plain name, as with DatasetAccess.
    found = getattr(module, f"{resource.__name__}InitArgs", None) or getattr(module, f"{resource.__name__}Args")
    return typing.cast(type, found)


@cache
def function_parameters(token: str) -> frozenset[str] | None:
    """Names of what a provider's function takes, over the wire; nothing if the package has no such function."""
    package, _, rest = token.partition(":")
    place, _, name = rest.partition(":")
    module = place.partition("/")[0]
    if package != "gcp" or not hasattr(pulumi_gcp, module):
        return None
    function = getattr(importlib.import_module(f"pulumi_gcp.{module}"), _snake(name), None)
    if function is None:
        return None
    return frozenset(_camel(each) for each in inspect.signature(function).parameters if each != "opts")


@cache
def properties(arguments: type) -> Mapping[str, Property]:
    """All inputs that a class of the package describes, by their names over the wire."""
    names = input_type_py_to_pulumi_names(arguments)
    module = importlib.import_module(arguments.__module__)
    init = arguments.__init__  # type: ignore[misc]
    hints = typing.get_type_hints(init, vars(module), {"Output": pulumi.Output, "T": Any})
    signature = inspect.signature(init)
    told = _told(inspect.getdoc(init) or "")
    return {
        wire: Property(
            name=wire,
            hint=plain_type(hints[python]),
            is_required=signature.parameters[python].default is inspect.Parameter.empty,
            values=listed_values(told.get(python, "")),
        )
        for python, wire in names.items()
    }


def plain_type(hint: Any) -> Any:
    """A type without `Input`, `Output`, `Optional` and `Awaitable`: what is left once everything is known.

    Of several that are left, as text or an enumeration, a union of these.
    """
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        left: list[Any] = []
        for each in typing.get_args(hint):
            origin = typing.get_origin(each) or each
            if each is type(None) or (
                isinstance(origin, type) and issubclass(origin, pulumi.Output | typing.Awaitable)
            ):
                continue
            left.append(plain_type(each))
        unique = list(dict.fromkeys(left))
        return unique[0] if len(unique) == 1 else typing.Union[tuple(unique)]  # noqa: UP007
    return hint


def is_object(hint: Any) -> bool:
    """Whether a type is a class of the package with inputs of its own."""
    return isinstance(hint, type) and is_input_type(hint)


def is_list(hint: Any) -> bool:
    """Whether a type is a list."""
    origin = typing.get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Sequence) and origin is not str


def is_map(hint: Any) -> bool:
    """Whether a type has keys that the user chooses."""
    origin = typing.get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def enumeration(hint: Any) -> frozenset[str]:
    """The values of an enumeration's class, alone or in a union with text; empty if there is none."""
    members = typing.get_args(hint) or (hint,)
    return frozenset(
        str(value.value) for each in members if isinstance(each, type) and issubclass(each, Enum) for value in each
    )


def listed_values(text: str) -> frozenset[str]:
    """The values that a documentation's text lists, if it lists any."""
    found: set[str] = set()
    for start in _LISTS_VALUES.finditer(text):
        position = start.end()
        values = []
        while match := _VALUE.match(text, position):
            values.append(match[1] or match[2])
            position = match.end()
            between = _BETWEEN.match(text, position)
            if between is None:
                break
            position = between.end()
        if len(values) > 1:  # one alone is rather an example
            found.update(values)
    return frozenset(found)


def _told(documentation: str) -> dict[str, str]:
    """Each parameter's documentation."""
    parts = re.split(r"^:param \S.*?\s(\w+): ", documentation, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.title() for each in others)
