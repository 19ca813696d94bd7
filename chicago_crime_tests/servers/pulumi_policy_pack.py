"""Running a policy pack as the `pulumi` command does: in a process of its own, which is asked over gRPC.

Here belongs starting it, and asking it about the resources of a plan. Its rules are its own matter.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from chicago_crime_tests.patience import PATIENCE_S
from chicago_crime_tests.servers.pulumi_plan import Plan, Resource


@dataclass(frozen=True)
class Violation:
    """A rule that was broken, or could not be judged.

    Attributes:
        rule: its name.
        message: what it says, without the rule's description.
        stops: whether `pulumi up` stops; otherwise it is a remark, as of a value that is not known yet.
    """

    rule: str
    message: str
    stops: bool


class PolicyPack:
    """A running policy pack.

    Attributes:
        info: what it tells of itself.
    """

    def __init__(self, stub: Any):
        self._stub = stub
        self.info = stub.GetAnalyzerInfo(Empty(), timeout=PATIENCE_S)

    @property
    def rules(self) -> list[str]:
        """The names of its rules."""
        return [each.name for each in self.info.policies]

    def configure(self, rules: Mapping[str, Mapping[str, Any]]) -> None:
        """Set what users can: rule -> its settings."""
        request = analyzer_pb2.ConfigureAnalyzerRequest()
        for name, settings in rules.items():
            properties = Struct()
            properties.update(settings)
            request.policyConfig[name].properties.CopyFrom(properties)
            request.policyConfig[name].enforcementLevel = analyzer_pb2.MANDATORY
        self._stub.Configure(request, timeout=PATIENCE_S)

    def judge(self, plan: Plan) -> list[Violation]:
        """All that it says of a plan: of each resource before it is made, and of the stack at the end."""
        said: list[Any] = []
        for resource in plan.resources:
            if not resource.type.startswith("pulumi:pulumi:"):
                said += self._stub.Analyze(_request(resource), timeout=PATIENCE_S).diagnostics
        resources = [_stack_resource(each) for each in plan.resources]
        request = analyzer_pb2.AnalyzeStackRequest(resources=resources)
        said += self._stub.AnalyzeStack(request, timeout=PATIENCE_S).diagnostics
        return [
            Violation(
                each.policyName,
                each.message.removeprefix(each.description).strip(),
                each.enforcementLevel == analyzer_pb2.MANDATORY,
            )
            for each in said
        ]


@contextmanager
def running_pack(
    folder: Path, *, project: str = "a-project", stack: str = "dev", preview: bool
) -> Iterator[PolicyPack]:
    """A policy pack's process, until the block ends.

    Args:
        folder: that of its `PulumiPolicy.yaml`.
        project: name of the Pulumi project that it is asked about.
        stack: name of the stack.
        preview: whether things are not made yet.
    """
    # The engine's address is the first argument of the launcher; it is for logs, and Pulumi's own ignores it.
    command: Sequence[str] = [sys.executable, "-u", "-m", "pulumi.policy", "127.0.0.1:1", str(folder)]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "PYTHON"))},
            "PYTHONDONTWRITEBYTECODE": "1",
            "PULUMI_PROJECT": project,
            "PULUMI_STACK": stack,
            "PULUMI_DRY_RUN": str(preview).lower(),
            "PULUMI_CONFIG": "{}",
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()  # its whole greeting; nothing comes if it failed
        assert port.isdigit(), f"the policy pack did not start: {port!r}, exit code {process.wait(PATIENCE_S)}"
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = analyzer_pb2_grpc.AnalyzerStub(channel)
            stub.ConfigureStack(
                analyzer_pb2.AnalyzerStackConfigureRequest(stack=stack, project=project, dry_run=preview),
                timeout=PATIENCE_S,
            )
            yield PolicyPack(stub)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        process.stdout.close()


def _options(resource: Resource) -> analyzer_pb2.AnalyzerResourceOptions:
    return analyzer_pb2.AnalyzerResourceOptions(protect=resource.protect, parent=resource.parent)


def _request(resource: Resource) -> analyzer_pb2.AnalyzeRequest:
    return analyzer_pb2.AnalyzeRequest(
        type=resource.type,
        properties=resource.wire,
        urn=resource.urn,
        name=resource.name,
        options=_options(resource),
    )


def _stack_resource(resource: Resource) -> analyzer_pb2.AnalyzerResource:
    return analyzer_pb2.AnalyzerResource(
        type=resource.type,
        properties=resource.wire,
        urn=resource.urn,
        name=resource.name,
        options=_options(resource),
        parent=resource.parent,
        dependencies=sorted(resource.dependencies),
        propertyDependencies={
            key: analyzer_pb2.AnalyzerPropertyDependencies(urns=sorted(urns))
            for key, urns in resource.property_dependencies.items()
        },
    )
