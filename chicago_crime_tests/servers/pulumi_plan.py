"""What a Pulumi program asks for, as its engine was told: the plan.

Here belongs the record of resources and outputs, and reading values as they come over the wire. Who receives them is
in `pulumi_engine.py`, who judges them in `pulumi_check.py`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime import rpc

UNKNOWN = rpc.UNKNOWN
"""In place of a value that is known only after something is made."""

SIGNATURE = rpc._special_sig_key
SECRET = rpc._special_secret_sig


@dataclass(frozen=True)
class Secret:
    """A value that Pulumi encrypts and never shows."""

    value: Any


@dataclass(frozen=True)
class Resource:
    """A resource, as it was registered.

    Attributes:
        type: Pulumi's token of its type.
        name: Pulumi's name of it.
        urn: Pulumi's address of it.
        parent: address of its parent; empty for the stack.
        custom: whether a provider makes it; otherwise it is only a group of others.
        inputs: under the provider's names. A secret is a `Secret`, an unknown value `UNKNOWN`.
        wire: the same as the engine hands it to a policy pack.
        dependencies: addresses of what must be made before.
        property_dependencies: input -> addresses of what it is computed from.
        protect: whether Pulumi refuses to delete it.
        provider: address and id of the provider that it names; empty for the default one.
        aliases: earlier names and addresses.
        request: all else that the engine was told.
    """

    type: str
    name: str
    urn: str
    parent: str
    custom: bool
    inputs: dict[str, Any]
    wire: Struct
    dependencies: frozenset[str]
    property_dependencies: dict[str, frozenset[str]]
    protect: bool
    provider: str
    aliases: tuple[Any, ...]
    request: Any = field(repr=False, compare=False)


@dataclass
class Plan:
    """All that one run of a program asked for.

    Attributes:
        resources: in the order in which they were registered.
        answers: address -> the outputs that the engine gave back; `id` is among them if it is known.
        outputs: of the stack.
        component_outputs: address -> outputs that a component registered.
        invokes: the functions of providers that were called, and with what.
        problems: what an engine would have refused.
    """

    resources: list[Resource] = field(default_factory=list)
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    component_outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    invokes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def made(self) -> list[Resource]:
        """What providers make: neither groups nor providers themselves."""
        return [each for each in self.resources if each.custom and not each.type.startswith("pulumi:providers:")]

    def of(self, kind: str) -> list[Resource]:
        """All of a type, by the last part of its token."""
        return [each for each in self.resources if each.type.rpartition(":")[2] == kind]

    def one(self, kind: str, name: str = "") -> Resource:
        """The only one of a type whose name ends so."""
        found = [each for each in self.of(kind) if each.name.endswith(name)]
        assert len(found) == 1, f"{len(found)} resources of type {kind} named ...{name}: {[r.name for r in found]}"
        return found[0]

    def before(self, resource: Resource) -> set[str]:
        """Addresses of all that is made before a resource, at whatever distance."""
        by_urn = {each.urn: each for each in self.resources}
        found: set[str] = set()
        pending = [resource.urn]
        while pending:
            for urn in by_urn[pending.pop()].dependencies - found:
                found.add(urn)
                pending.append(urn)
        return found


def read(properties: Struct) -> dict[str, Any]:
    """Properties as they come over the wire, with secrets and unknown values kept as such."""
    return {name: _read(value) for name, value in _integers(MessageToDict(properties)).items()}


def for_policy(properties: Struct) -> Struct:
    """Properties as the engine hands them on: no value says any more what it was computed from."""
    plain = Struct()
    plain.update({name: encode(value) for name, value in read(properties).items()})
    return plain


def values(value: Any, path: str = "", *, secret: bool = False) -> Iterator[tuple[str, Any, bool]]:
    """Every single value in inputs: its path, itself, and whether it is within a secret."""
    if isinstance(value, Secret):
        yield from values(value.value, path, secret=True)
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from values(each, f"{path}.{name}".lstrip("."), secret=secret)
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from values(each, f"{path}[{number}]", secret=secret)
    else:
        yield path, value, secret


def plain(value: Any) -> Any:
    """A value without the marks of secrets."""
    if isinstance(value, Secret):
        return plain(value.value)
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


def encode(value: Any) -> Any:
    """A value as it goes over the wire: the reverse of reading it."""
    if isinstance(value, Secret):
        return {SIGNATURE: SECRET, "value": encode(value.value)}
    if isinstance(value, dict):
        return {name: encode(each) for name, each in value.items()}
    return [encode(each) for each in value] if isinstance(value, list) else value


def _integers(value: Any) -> Any:
    """The wire knows floating-point numbers only; whole ones become integers."""
    if isinstance(value, dict):
        return {name: _integers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_integers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = value.get(SIGNATURE)
    if kind == SECRET:
        return Secret(_read(value["value"]))
    if kind == rpc._special_output_value_sig:
        inner = _read(value["value"]) if "value" in value else UNKNOWN
        return Secret(inner) if value.get("secret") else inner
    if kind == rpc._special_resource_sig:
        return value.get("id") or value["urn"]
    return {name: _read(each) for name, each in value.items()}
