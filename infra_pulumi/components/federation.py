"""GitHub's workflows sign in without a key: Google trusts the tokens that GitHub gives them.

Here belongs whom Google trusts, and what those may do. It is off unless the configuration names a repository.
Google keeps the name of a deleted pool for 30 days: until then, `gcloud iam workload-identity-pools undelete` brings it
back, and `pulumi import` into the stack.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import artifactregistry, iam

from components.part import Part
from components.registry import Registry
from config import Config

ISSUER = "https://token.actions.githubusercontent.com"


class Federation(Part):
    """The trust in one repository.

    Attributes:
        provider: what a workflow names to sign in.
    """

    def __init__(self, name: str, config: Config, registry: Registry, after: Sequence[pulumi.Resource]):
        super().__init__(name, after)
        pool = iam.WorkloadIdentityPool(
            f"{name}-pool",
            project=config.project,
            workload_identity_pool_id=config.named("github"),
            display_name=f"GitHub ({config.stack})",
            description=f"Workflows of {config.github_repository}",
            opts=self.ours(),
        )
        self.provider = iam.WorkloadIdentityPoolProvider(
            f"{name}-provider",
            project=config.project,
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="actions",
            display_name="GitHub Actions",
            attribute_mapping={
                "google.subject": "assertion.sub",
                "attribute.repository": "assertion.repository",
                "attribute.ref_type": "assertion.ref_type",
            },
            # Without it, Google would trust every repository at GitHub. No quote can be in a repository's name.
            attribute_condition=f"assertion.repository == '{config.github_repository}'",
            oidc={"issuer_uri": ISSUER},
            opts=self.ours(),
        )
        # A tag publishes an image. That is all: a preview asks Google for nothing, it needs only to be signed in.
        artifactregistry.RepositoryIamMember(
            f"{name}-publishes",
            project=config.project,
            location=config.region,
            repository=registry.repository.name,
            role="roles/artifactregistry.writer",
            member=pulumi.Output.format("principalSet://iam.googleapis.com/{0}/attribute.ref_type/tag", pool.name),
            opts=self.ours(),
        )
        self.register_outputs({"provider": self.provider.name})
