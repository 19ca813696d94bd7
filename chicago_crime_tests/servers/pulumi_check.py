"""The strict check of a plan: each input of each resource against the provider's own definitions.

Here belongs judging. What the definitions say is read in `pulumi_types.py`. Pulumi's own mocks check nothing of this,
and Google's answer is too late: half of the stack is made by then.
"""

import json
from collections import Counter
from difflib import get_close_matches
from typing import Any, get_args

from chicago_crime_tests.servers.pulumi_plan import UNKNOWN, Plan, Resource, Secret, values
from chicago_crime_tests.servers.pulumi_types import (
    Property,
    arguments_of,
    enumeration,
    function_parameters,
    is_list,
    is_map,
    is_object,
    plain_type,
    properties,
)

SCALARS = {str: "text", bool: "true or false", int: "a whole number", float: "a number"}


def faults(plan: Plan, *, preview: bool) -> list[str]:
    """All that is wrong with a plan, each with the resource, the property's path, what is there and what may be.

    Args:
        plan: it.
        preview: whether values may be unknown, as before things are made.
    """
    found = list(plan.problems)
    for urn, times in Counter(each.urn for each in plan.resources).items():
        if times > 1:
            found.append(f"{urn}: {times} resources have this address")
    for resource in plan.resources:
        if resource.custom:
            found += resource_faults(resource)
        if not preview:
            found += [
                f"{_title(resource)}: {path}: it is unknown though everything is made"
                for path, value, _ in values(resource.inputs)
                if value == UNKNOWN
            ]
    for token, arguments in plan.invokes:
        allowed = function_parameters(token)
        if allowed is None:
            found.append(f"{token}: the provider has no such function")
            continue
        found += [f"{token}: {_unknown(name, allowed)}" for name in arguments if name not in allowed]
    return found


def resource_faults(resource: Resource) -> list[str]:
    """What is wrong with the inputs of a resource that a provider makes."""
    arguments = arguments_of(resource.type)
    title = _title(resource)
    if arguments is None:
        return [f"{title}: the provider has no resource of this type"]
    inputs = resource.inputs
    if resource.type.startswith("pulumi:providers:"):  # whose inputs other than text come as JSON
        known = properties(arguments)
        inputs = {
            name: json.loads(value)
            if name in known and known[name].hint is not str and isinstance(value, str)
            else value
            for name, value in inputs.items()
            if name != "version"
        }
    return [f"{title}: {fault}" for fault in _object_faults(inputs, arguments, "")]


def _object_faults(given: dict[str, Any], arguments: type, path: str) -> list[str]:
    known = properties(arguments)
    found = []
    for name, value in given.items():
        if name in known:
            found += _value_faults(value, known[name], f"{path}{name}")
        else:
            found.append(f"{path}{_unknown(name, known)}")
    missing = [each.name for each in known.values() if each.is_required and each.name not in given]
    return found + [f"{path}{name}: it is missing, and is required" for name in missing]


def _value_faults(value: Any, known: Property, path: str) -> list[str]:
    if isinstance(value, Secret):
        return _value_faults(value.value, known, path)
    hint = known.hint
    if value == UNKNOWN or hint is Any:
        return []
    if is_object(hint):
        if not isinstance(value, dict):
            return [_wrong(path, value, "an object of " + ", ".join(properties(hint)))]
        return _object_faults(value, hint, f"{path}.")
    if is_list(hint):
        if not isinstance(value, list):
            return [_wrong(path, value, "a list")]
        inner = _inner(known)
        return [fault for number, each in enumerate(value) for fault in _value_faults(each, inner, f"{path}[{number}]")]
    if is_map(hint):
        if not isinstance(value, dict):
            return [_wrong(path, value, "keys and values")]
        inner = _inner(known)
        return [fault for key, each in value.items() for fault in _value_faults(each, inner, f"{path}.{key}")]
    return _scalar_faults(value, known, path)


def _scalar_faults(value: Any, known: Property, path: str) -> list[str]:
    allowed = enumeration(known.hint) or known.values
    if enumeration(known.hint) or known.hint is str:
        if not isinstance(value, str):
            return [_wrong(path, value, "text")]
        if allowed and value not in allowed:
            return [_wrong(path, value, "one of " + ", ".join(sorted(allowed)))]
        return []
    if known.hint not in SCALARS:
        raise TypeError(f"{path}: the check does not know the type {known.hint}")
    fits = {
        bool: isinstance(value, bool),
        int: isinstance(value, int) and not isinstance(value, bool),
        float: isinstance(value, int | float) and not isinstance(value, bool),
    }[known.hint]
    return [] if fits else [_wrong(path, value, SCALARS[known.hint])]


def _inner(known: Property) -> Property:
    """What a list or a map is of. The values that are listed for it are its elements'."""
    return Property(known.name, plain_type(get_args(known.hint)[-1]), False, known.values)


def _title(resource: Resource) -> str:
    return f"{resource.name} ({resource.type})"


def _unknown(name: str, allowed: Any) -> str:
    near = get_close_matches(name, allowed, 3) or sorted(allowed)
    return f"{name}: there is no such property; there are {', '.join(near)}"


def _wrong(path: str, value: Any, allowed: str) -> str:
    return f"{path}: it is {value!r} and may be {allowed}"
