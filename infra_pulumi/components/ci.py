"""The image registry, and keyless sign-in for GitHub workflows that push to it."""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import artifactregistry, iam

from components.part import Part
from config import Config

IMAGE_DAYS = 90
KEPT_VERSIONS = 10
GITHUB = "https://token.actions.githubusercontent.com"


class Registry(Part):
    """The Docker registry.

    Attributes:
        image: the full name of the image that the machine runs, with its tag.
    """

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, config, after)
        self.repository = artifactregistry.Repository(
            f"{name}-repository",
            location=config.region,
            repository_id=config.named(),
            format="DOCKER",
            description="Images of the Chicago crime data platform",
            labels=config.labels,
            cleanup_policies=[
                {
                    "id": "delete-old",
                    "action": "DELETE",
                    "condition": {"tag_state": "ANY", "older_than": f"{IMAGE_DAYS * 24 * 3600}s"},
                },
                {  # the machine pulls it at every start
                    "id": "keep-current",
                    "action": "KEEP",
                    "condition": {"tag_state": "TAGGED", "tag_prefixes": [config.image_tag]},
                },
                {"id": "keep-recent", "action": "KEEP", "most_recent_versions": {"keep_count": KEPT_VERSIONS}},
            ],
            cleanup_policy_dry_run=False,
            opts=self.options(),
        )
        self.image = pulumi.Output.format(
            "{0}-docker.pkg.dev/{1}/{2}/chicago-crime:{3}",
            config.region,
            config.project,
            self.repository.repository_id,
            config.image_tag,
        )
        self.register_outputs({})


class Federation(Part):
    """Workload identity federation: Google trusts tokens of one GitHub repository's workflows.

    Google reserves the name of a deleted pool for 30 days. Until then, restore it with
    `gcloud iam workload-identity-pools undelete` and `pulumi import`.

    Attributes:
        provider: the provider that a workflow passes to `google-github-actions/auth`.
    """

    def __init__(self, name: str, config: Config, registry: Registry, after: Sequence[pulumi.Resource]):
        super().__init__(name, config, after)
        pool = iam.WorkloadIdentityPool(
            f"{name}-pool",
            workload_identity_pool_id=config.named("github"),
            display_name=f"GitHub ({config.stack})",
            description=f"Workflows of {config.github_repository}",
            opts=self.options(),
        )
        self.provider = iam.WorkloadIdentityPoolProvider(
            f"{name}-provider",
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="actions",
            display_name="GitHub Actions",
            attribute_mapping={
                "google.subject": "assertion.sub",
                "attribute.repository": "assertion.repository",
                "attribute.ref_type": "assertion.ref_type",
            },
            # Without a condition, Google would trust every repository on GitHub. The id excludes whoever registers the
            # name after the repository is renamed or deleted. config.py allows no quotes in either.
            attribute_condition=f"assertion.repository == '{config.github_repository}'"
            f" && assertion.repository_id == '{config.github_repository_id}'",
            oidc={"issuer_uri": GITHUB},
            opts=self.options(),
        )
        # Workflows on a tag may push images. Previews need no role.
        artifactregistry.RepositoryIamMember(
            f"{name}-publishes",
            location=config.region,
            repository=registry.repository.name,
            role="roles/artifactregistry.writer",
            member=pulumi.Output.format("principalSet://iam.googleapis.com/{0}/attribute.ref_type/tag", pool.name),
            opts=self.options(),
        )
        self.register_outputs({})
