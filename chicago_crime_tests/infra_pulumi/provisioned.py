"""Runs the unmodified Pulumi program with Pulumi's mocks, and records the resources it declares.

mypy checks the names and types of all inputs against the provider's typed dicts, so the mocks accept any input.
"""

import asyncio
import json
import runpy
from collections.abc import Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
import yaml
from pulumi.runtime import Mocks, mocks, set_all_config, set_mocks
from pulumi.runtime.settings import ROOT, SETTINGS
from pulumi.runtime.stack import run_in_stack

PROGRAM = Path(__file__).parents[2] / "infra_pulumi"
PROJECT = "a-project"
NUMBER = "123456789012"
TOKEN = "KGAT_a_token"
POOLS = f"projects/{NUMBER}/locations/global/workloadIdentityPools"
TIMEOUT_S = 300

EVERYTHING = {
    "source": "kaggle",
    "kaggleToken": TOKEN,
    "operators": '["user:someone@example.com", "group:team@example.com"]',
    "githubRepository": "an-owner/a-name",
    "githubRepositoryId": "987654321",
    "billingAccount": "012345-6789AB-CDEF01",
    "projectNumber": NUMBER,
}
"""All optional components enabled."""


@dataclass(frozen=True)
class Declared:
    """A resource that the program declares; the request to Pulumi's engine has parent, options and dependencies."""

    type: str
    name: str
    urn: str
    inputs: dict[str, Any]
    request: Any


@dataclass
class Provisioned:
    """The Google resources and the outputs of one run of the program."""

    google: list[Declared] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> list[Declared]:
        """The Google resources of a type, given the end of its token."""
        return [each for each in self.google if each.type.endswith(f":{kind}")]

    def one(self, kind: str, name: str = "") -> Declared:
        """The only resource of a type with a name that ends with `name`."""
        (found,) = [each for each in self.of(kind) if each.name.endswith(name)]
        return found

    @property
    def grants(self) -> list[Declared]:
        return [each for each in self.google if "role" in each.inputs]


def provision(
    config: Mapping[str, str] | None = None, stack: str = "prod", secret_keys: Sequence[str] = ("kaggleToken",)
) -> Provisioned:
    """Run the program without a stack file; results are cached by arguments.

    Keys without a namespace are the platform's. An empty value unsets a key.
    """
    given = {"gcp:project": PROJECT, **(config or {})}
    keys = {key if ":" in key else f"chicago-crime:{key}": value for key, value in given.items() if value}
    return _run(tuple(keys.items()), stack, tuple(f"chicago-crime:{key}" for key in secret_keys))


@cache
def _run(config: tuple[tuple[str, str], ...], stack: str, secret_keys: tuple[str, ...]) -> Provisioned:
    record = Provisioned()

    def program() -> None:
        runpy.run_path(str(PROGRAM), run_name="__main__")

    def run() -> None:
        asyncio.set_event_loop(asyncio.new_event_loop())
        answers = Google()
        set_mocks(answers, project="chicago-crime", stack=stack, monitor=Recorder(answers, record))
        ROOT.set(None)  # `set_mocks` creates a root for tests without a program
        SETTINGS.outputs.clear()  # outputs of a failed run would be awaited forever
        set_all_config(dict(config), list(secret_keys))
        asyncio.get_event_loop().run_until_complete(asyncio.wait_for(run_in_stack(program), TIMEOUT_S))

    Context().run(run)  # Pulumi keeps its state in context variables
    return record


def stack_file(stack: str) -> dict[str, str]:
    """The configuration in `Pulumi.<stack>.yaml` as strings, as the `pulumi` command passes it."""
    content = yaml.safe_load((PROGRAM / f"Pulumi.{stack}.yaml").read_text())["config"]
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in content.items()}


def as_json(value: object) -> str:
    return json.dumps(value, default=str)


class Recorder(mocks.MockMonitor):
    """Pulumi's mock engine, extended to record requests."""

    def __init__(self, answers: Mocks, record: Provisioned):
        super().__init__(answers)
        self.record = record

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802
        answer = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        inputs = pulumi.runtime.rpc.deserialize_properties(request.object, keep_unknowns=True)
        if request.type.startswith("gcp:"):
            self.record.google.append(Declared(request.type, request.name, answer.urn, inputs, request))
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if request.urn.split("::")[2] == "pulumi:pulumi:Stack":
            self.record.outputs = pulumi.runtime.rpc.deserialize_properties(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


class Google(Mocks):
    """The ids and computed properties that Google's provider returns."""

    def new_resource(self, args: Any) -> tuple[str, dict[str, Any]]:
        kind, inputs = args.typ.rpartition(":")[2], dict(args.inputs)
        made, name = {}, inputs.get("name") or inputs.get("secretId", args.name)
        match kind:
            case "Account":
                email = f"{inputs['accountId']}@{PROJECT}.iam.gserviceaccount.com"
                made = {"email": email, "member": f"serviceAccount:{email}"}
                name = f"projects/{PROJECT}/serviceAccounts/{email}"
            case "SecretVersion":
                name = f"{inputs['secret']}/versions/1"
            case "WorkloadIdentityPool":
                name = f"{POOLS}/{inputs['workloadIdentityPoolId']}"
            case "WorkloadIdentityPoolProvider":
                name = f"{POOLS}/{inputs['workloadIdentityPoolId']}/providers/actions"
        made_id = name if "/" in name else f"projects/{PROJECT}/{kind.lower()}s/{name}"
        return made_id, {"name": name, **inputs, **made}

    def call(self, args: Any) -> Any:
        raise AssertionError(f"{args.token}: CI's preview account may not look up anything")
