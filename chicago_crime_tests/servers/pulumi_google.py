"""What Google and its provider answer: ids, and the properties that only a thing that was made has.

Here belong those that a program may look at, in the form that the provider documents ("import" and "attributes" of each
resource). What it does not know is left out: a program that looks at it gets nothing, and the check of its inputs
complains.
"""

from collections.abc import Mapping
from typing import Any

PROJECT_NUMBER = "123456789012"

IDS = {
    "gcp:artifactregistry/repository:Repository": "projects/{project}/locations/{location}/repositories/{repositoryId}",
    "gcp:bigquery/dataset:Dataset": "projects/{project}/datasets/{datasetId}",
    "gcp:compute/disk:Disk": "projects/{project}/zones/{zone}/disks/{name}",
    "gcp:compute/firewall:Firewall": "projects/{project}/global/firewalls/{name}",
    "gcp:compute/instance:Instance": "projects/{project}/zones/{zone}/instances/{name}",
    "gcp:compute/network:Network": "projects/{project}/global/networks/{name}",
    "gcp:compute/resourcePolicy:ResourcePolicy": "projects/{project}/regions/{region}/resourcePolicies/{name}",
    "gcp:compute/router:Router": "projects/{project}/regions/{region}/routers/{name}",
    "gcp:compute/routerNat:RouterNat": "{project}/{region}/{router}/{name}",
    "gcp:compute/subnetwork:Subnetwork": "projects/{project}/regions/{region}/subnetworks/{name}",
    "gcp:iam/workloadIdentityPool:WorkloadIdentityPool": "projects/{project}/locations/global/workloadIdentityPools/"
    "{workloadIdentityPoolId}",
    "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider": "projects/{project}/locations/global/"
    "workloadIdentityPools/{workloadIdentityPoolId}/providers/{workloadIdentityPoolProviderId}",
    "gcp:projects/service:Service": "{project}/{service}",
    "gcp:secretmanager/secret:Secret": "projects/{project}/secrets/{secretId}",
    "gcp:serviceaccount/account:Account": "projects/{project}/serviceAccounts/{accountId}@{project}"
    ".iam.gserviceaccount.com",
    "gcp:storage/bucket:Bucket": "{name}",
}
"""A thing's id. Any other's is made up."""


def made(kind: str, name: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The id of a thing that was made, and its properties.

    Args:
        kind: Pulumi's token of its type.
        name: Pulumi's name of it, from which Pulumi makes Google's if none is asked for.
        inputs: what it was asked to be.
    """
    outputs = dict(inputs)
    if kind not in ("gcp:serviceaccount/account:Account", "gcp:secretmanager/secret:Secret"):
        outputs.setdefault("name", f"{name}-0a1b2c3")
    outputs.setdefault("project", "a-project")
    # `str.format` of a missing input is a KeyError here and would be one of the strict check, which comes later.
    known = {key: value for key, value in outputs.items() if isinstance(value, str)}
    made_id = IDS[kind].format_map(_Known(known)) if kind in IDS else f"made-up/{name}"
    if kind.startswith("gcp:compute/"):
        outputs["selfLink"] = f"https://www.googleapis.com/compute/v1/{made_id}"
    match kind:
        case "gcp:serviceaccount/account:Account":
            email = made_id.rpartition("/")[2]
            outputs |= {"email": email, "member": f"serviceAccount:{email}", "name": made_id}
            outputs["uniqueId"] = "1" * 21
        case "gcp:secretmanager/secret:Secret":
            outputs["name"] = f"projects/{PROJECT_NUMBER}/secrets/{known.get('secretId')}"
        case "gcp:artifactregistry/repository:Repository":
            outputs["name"] = known.get("repositoryId")
            outputs["registryUri"] = "{location}-docker.pkg.dev/{project}/{repositoryId}".format_map(_Known(known))
        case (
            "gcp:iam/workloadIdentityPool:WorkloadIdentityPool"
            | "gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"
        ):
            outputs["name"] = made_id.replace(f"projects/{outputs['project']}/", f"projects/{PROJECT_NUMBER}/", 1)
            outputs["state"] = "ACTIVE"
        case "gcp:storage/bucket:Bucket":
            outputs["url"] = f"gs://{made_id}"
    return made_id, outputs


def call(token: str, arguments: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a provider's function answers; nothing if it is not known here."""
    if token == "gcp:organizations/getProject:getProject":
        project = arguments.get("projectId", "a-project")
        return {"id": f"projects/{project}", "projectId": project, "number": PROJECT_NUMBER, "name": project}
    return None


class _Known(dict[str, str]):
    """Values for a text; a missing one shows as what it is."""

    def __missing__(self, key: str) -> str:
        return f"<no {key}>"
