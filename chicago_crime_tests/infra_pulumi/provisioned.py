"""Running the Pulumi program against Pulumi's own mocks of its engine, and looking at what it declared.

Here belongs the run and the record of it. The mocks answer as Google would, as far as the program looks at answers.
They do not judge inputs: that the provider knows them is proven elsewhere.
"""

import asyncio
import importlib
import inspect
import json
import runpy
from collections.abc import Iterator, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import Mocks, mocks, set_all_config, set_mocks
from pulumi.runtime.settings import ROOT, SETTINGS
from pulumi.runtime.stack import run_in_stack

from chicago_crime_tests.patience import PATIENCE_S

PROGRAM = Path(__file__).parents[2] / "infra_pulumi"
PROJECT = "a-project"
NUMBER = "123456789012"
SECRET_KEYS = ("chicago-crime:kaggleToken",)


@dataclass(frozen=True)
class Declared:
    """A resource that the program declares.

    Attributes:
        type: Pulumi's token of its type.
        name: Pulumi's name of it.
        urn: Pulumi's address of it, in which its type's parents are.
        parent: address of its parent.
        inputs: under the provider's names.
        is_protected: whether Pulumi refuses to delete it.
        request: all else that the engine is told.
    """

    type: str
    name: str
    urn: str
    parent: str
    inputs: dict[str, Any]
    is_protected: bool
    request: Any

    @property
    def is_component(self) -> bool:
        """Whether it is only a group of others."""
        return not self.request.custom

    @property
    def takes_labels(self) -> bool:
        """Whether Google can label such a thing, by the provider's own definition."""
        place, _, kind = self.type.removeprefix("gcp:").rpartition(":")
        module = importlib.import_module(f"pulumi_gcp.{place.split('/')[0]}")
        return "labels" in inspect.signature(getattr(module, kind)._internal_init).parameters


@dataclass
class Provisioned:
    """What one run of the program declared.

    Attributes:
        resources: in no particular order.
        outputs: of the stack.
    """

    resources: list[Declared] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    @property
    def google(self) -> list[Declared]:
        """What is made at Google."""
        return [each for each in self.resources if each.type.startswith("gcp:")]

    def of(self, kind: str) -> list[Declared]:
        """All that is made at Google of a type, by the end of its token."""
        return [each for each in self.google if each.type.endswith(f":{kind}")]

    def one(self, kind: str, name: str = "") -> Declared:
        """The only one of a type whose name ends so."""
        (found,) = [each for each in self.of(kind) if each.name.endswith(name)]
        return found


def provision(
    config: Mapping[str, str] | None = None, stack: str = "prod", secret_keys: Sequence[str] = SECRET_KEYS
) -> Provisioned:
    """Run the program.

    Args:
        config: what is set, as the `pulumi` command hands it over; it adds the prefix to keys that have none. The
            project is set in any case, if only to nothing.
        stack: its name.
        secret_keys: keys whose values are secrets.
    """
    given = {"gcp:project": PROJECT, **(config or {})}
    keys = {key if ":" in key else f"chicago-crime:{key}": value for key, value in given.items() if value}
    record = Provisioned()

    def program() -> None:
        runpy.run_path(str(PROGRAM), run_name="__main__")

    def run() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        answers = _Google()
        set_mocks(answers, project="chicago-crime", stack=stack, monitor=_Recorder(answers, record))
        ROOT.set(None)  # the mocks have made one already, for tests without a program
        SETTINGS.outputs.clear()  # which would be waited for, for ever, if an earlier run failed
        set_all_config(keys, list(secret_keys))
        asyncio.get_event_loop().run_until_complete(asyncio.wait_for(run_in_stack(program), PATIENCE_S))

    Context().run(run)  # in which no earlier run has left anything
    return record


def leaves(value: object) -> Iterator[str]:
    """Every single value in inputs, as text."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from leaves(each)
    else:
        yield str(value)


def as_json(value: object) -> str:
    """Anything declared as text, to look for what must not be in it."""
    return json.dumps(value, default=str)


class _Recorder(mocks.MockMonitor):
    """Pulumi's mock of its engine, which also notes what it is told."""

    def __init__(self, answers: Mocks, record: Provisioned):
        super().__init__(answers)
        self.record = record

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        inputs = pulumi.runtime.rpc.deserialize_properties(request.object, keep_unknowns=True)
        if request.type != "pulumi:pulumi:Stack":
            self.record.resources.append(
                Declared(request.type, request.name, answer.urn, request.parent, inputs, request.protect, request)
            )
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if request.urn.split("::")[2] == "pulumi:pulumi:Stack":  # and not what is below it, whose type begins so
            self.record.outputs = pulumi.runtime.rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


class _Google(Mocks):
    """What Google makes of what is asked for."""

    def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
        made = dict(args.inputs)
        project = made.get("project", PROJECT)
        ids = {
            "gcp:compute/subnetwork:Subnetwork": "projects/{project}/regions/{region}/subnetworks/{name}",
            "gcp:secretmanager/secret:Secret": "projects/{project}/secrets/{secretId}",
            "gcp:artifactregistry/repository:Repository": "projects/{project}/locations/{location}/"
            "repositories/{repositoryId}",
        }
        if args.typ == "gcp:serviceaccount/account:Account":
            email = f"{made['accountId']}@{project}.iam.gserviceaccount.com"
            made |= {"email": email, "member": f"serviceAccount:{email}"}
            made |= {"name": f"projects/{project}/serviceAccounts/{email}"}
        if args.typ == "gcp:iam/workloadIdentityPool:WorkloadIdentityPool":
            pool = made["workloadIdentityPoolId"]
            made["name"] = f"projects/{NUMBER}/locations/global/workloadIdentityPools/{pool}"
        if args.typ == "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider":
            pool, provider = made["workloadIdentityPoolId"], made["workloadIdentityPoolProviderId"]
            made["name"] = f"projects/{NUMBER}/locations/global/workloadIdentityPools/{pool}/providers/{provider}"
        if args.typ == "gcp:artifactregistry/repository:Repository":
            made["name"] = made["repositoryId"]
        return ids.get(args.typ, f"{args.name}-id").format(**made), made

    def call(self, args: Any) -> tuple[dict[str, Any], list[tuple[str, str]] | None]:
        assert args.token == "gcp:organizations/getProject:getProject", args.token
        return {"number": NUMBER, "projectId": args.args["projectId"]}, []
