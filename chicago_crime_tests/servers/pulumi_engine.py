"""Pulumi's engine as a program sees it: over gRPC on loopback, it is told of every resource and writes it down.

Here belong the two services that a program speaks with, and what the engine itself refuses: one name for two resources,
a parent or dependency that does not exist, a call that nothing is known of. Features that are not announced
(transforms, hooks, parameterized packages) fail in the program, with Pulumi's own message. No state is kept:
everything is new. Whether inputs are what the provider takes is judged afterwards, in `pulumi_check.py`.
"""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NoReturn

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.struct_pb2 import Struct
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, resource_pb2, resource_pb2_grpc

from chicago_crime_tests.servers import pulumi_google
from chicago_crime_tests.servers.pulumi_plan import Plan, Resource, encode, for_policy, plain, read

FEATURES = (
    resource_pb2.RESOURCE_MONITOR_FEATURE_SECRETS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES,
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_REPLACE_WITH,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_DEPENDS_ON,
    resource_pb2.RESOURCE_MONITOR_FEATURE_INVOKE_PARENT,
)
STACK = "pulumi:pulumi:Stack"


@dataclass
class Engine:
    """A running engine.

    Attributes:
        address: where it listens.
        plan: what it was told.
        log: what the program wrote: severity, message.
    """

    address: str
    plan: Plan = field(default_factory=Plan)
    log: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def running_engine(project: str, stack: str, *, preview: bool) -> Iterator[Engine]:
    """An engine on loopback, until the block ends.

    Args:
        project: name of the Pulumi project.
        stack: name of the stack.
        preview: whether nothing is made, and so no id or computed property is known.
    """
    server = grpc.server(ThreadPoolExecutor(max_workers=8))
    engine = Engine(f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}")
    resource_pb2_grpc.add_ResourceMonitorServicer_to_server(_Monitor(engine, project, stack, preview), server)
    engine_pb2_grpc.add_EngineServicer_to_server(_EngineService(engine), server)
    server.start()
    try:
        yield engine
    finally:
        server.stop(grace=1).wait()


class _Monitor(resource_pb2_grpc.ResourceMonitorServicer):
    """Takes down what the program registers."""

    def __init__(self, engine: Engine, project: str, stack: str, preview: bool):
        self.plan = engine.plan
        self.project, self.stack, self.preview = project, stack, preview
        self.types: dict[str, str] = {}  # address -> the chain of types that its children's addresses begin with
        self.lock = threading.Lock()

    def GetDeploymentInfo(self, request: Empty, context: Any) -> resource_pb2.DeploymentInfo:  # noqa: N802
        return resource_pb2.DeploymentInfo(
            project=self.project, stack=self.stack, dryRun=self.preview, supportedFeatures=FEATURES
        )

    def SupportsFeature(self, request: Any, context: Any) -> resource_pb2.SupportsFeatureResponse:  # noqa: N802
        names = {resource_pb2.ResourceMonitorFeature.Name(each) for each in FEATURES}
        asked = "".join("_" + letter if letter.isupper() else letter for letter in request.id).upper()
        return resource_pb2.SupportsFeatureResponse(hasSupport=f"RESOURCE_MONITOR_FEATURE_{asked}" in names)

    def RegisterResource(self, request: Any, context: Any) -> resource_pb2.RegisterResourceResponse:  # noqa: N802
        with self.lock:
            return self._register(request, context)

    def _register(self, request: Any, context: Any) -> resource_pb2.RegisterResourceResponse:
        if request.remote:
            self._refuse(context, f"{request.name}: components of other packages ({request.type}) are not known here")
        urn = self._urn(request, context)
        inputs = read(request.object)
        resource = Resource(
            type=request.type,
            name=request.name,
            urn=urn,
            parent=request.parent,
            custom=request.custom,
            inputs=inputs,
            wire=for_policy(request.object),
            dependencies=frozenset(request.dependencies),
            property_dependencies={key: frozenset(each.urns) for key, each in request.propertyDependencies.items()},
            protect=request.protect,
            provider=request.provider,
            aliases=tuple(request.aliases),
            request=request,
        )
        for other in resource.dependencies.union(*resource.property_dependencies.values()):
            if other not in self.types:
                self._refuse(context, f"{urn}: depends on {other}, which does not exist")
        self.plan.resources.append(resource)
        made_id, outputs = "", dict(inputs)
        if request.custom and not self.preview:
            made_id, computed = pulumi_google.made(request.type, request.name, plain(inputs))
            outputs = computed | outputs
        self.plan.answers[urn] = outputs | ({"id": made_id} if made_id else {})
        answer = Struct()
        answer.update({key: encode(value) for key, value in outputs.items()})
        return resource_pb2.RegisterResourceResponse(urn=urn, id=made_id, object=answer)

    def _urn(self, request: Any, context: Any) -> str:
        """The address of a resource, under which it is known from now on."""
        chain = request.type
        if request.parent:
            if request.parent not in self.types:
                self._refuse(context, f"{request.name}: its parent {request.parent} does not exist")
            above = self.types[request.parent]
            chain = request.type if above == STACK else f"{above}${request.type}"
        urn = f"urn:pulumi:{self.stack}::{self.project}::{chain}::{request.name}"
        if urn in self.types:
            self._refuse(context, f"Duplicate resource URN '{urn}'; try giving it a unique name")
        self.types[urn] = chain
        return urn

    def RegisterResourceOutputs(self, request: Any, context: Any) -> Empty:  # noqa: N802
        with self.lock:
            if self.types.get(request.urn) == STACK:
                self.plan.outputs = read(request.outputs)
            else:
                self.plan.component_outputs[request.urn] = read(request.outputs)
        return Empty()

    def Invoke(self, request: Any, context: Any) -> resource_pb2.ResourceInvokeResponse:  # noqa: N802
        arguments = read(request.args)
        with self.lock:
            self.plan.invokes.append((request.tok, arguments))
        if self.preview and request.dependsOn:  # the engine waits for what does not exist yet
            return resource_pb2.ResourceInvokeResponse(unknown=True)
        found = pulumi_google.call(request.tok, plain(arguments))
        if found is None:
            self._refuse(context, f"{request.tok}: what this function answers is not known here")
        answer = Struct()
        answer.update(found)
        return resource_pb2.ResourceInvokeResponse(**{"return": answer})

    def SignalAndWaitForShutdown(self, request: Empty, context: Any) -> Empty:  # noqa: N802
        return Empty()

    def _refuse(self, context: Any, message: str) -> NoReturn:
        self.plan.problems.append(message)
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, message)
        raise AssertionError("unreachable: `abort` raises")


class _EngineService(engine_pb2_grpc.EngineServicer):
    """Takes down what the program logs, and knows the stack's own resource."""

    def __init__(self, engine: Engine):
        self.engine = engine
        self.root = ""

    def Log(self, request: Any, context: Any) -> Empty:  # noqa: N802
        self.engine.log.append((engine_pb2.LogSeverity.Name(request.severity), request.message))
        return Empty()

    def GetRootResource(self, request: Any, context: Any) -> engine_pb2.GetRootResourceResponse:  # noqa: N802
        return engine_pb2.GetRootResourceResponse(urn=self.root)

    def SetRootResource(self, request: Any, context: Any) -> engine_pb2.SetRootResourceResponse:  # noqa: N802
        self.root = request.urn
        return engine_pb2.SetRootResourceResponse()

    def RequirePulumiVersion(self, request: Any, context: Any) -> engine_pb2.RequirePulumiVersionResponse:  # noqa: N802
        return engine_pb2.RequirePulumiVersionResponse()
