"""The registry that the platform's image is pushed to and the machine gets it from.

Here belongs the registry and what becomes of old images. Who may use it is in `access.py`.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import artifactregistry

from components.part import Part
from config import Config

UNTAGGED_DAYS = 14
KEPT_VERSIONS = 10


class Registry(Part):
    """The registry.

    Attributes:
        repository: it.
        image: address of the image that the machine runs, with its tag.
    """

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, after)
        self.repository = artifactregistry.Repository(
            f"{name}-repository",
            project=config.project,
            location=config.region,
            repository_id=config.named(),
            format="DOCKER",
            description="Images of the Chicago crime data platform",
            labels=config.labels,
            cleanup_policies=[
                {
                    # An image with a tag may be the one that a machine starts with.
                    "id": "delete-untagged",
                    "action": "DELETE",
                    "condition": {"tag_state": "UNTAGGED", "older_than": f"{UNTAGGED_DAYS * 24 * 3600}s"},
                },
                {
                    "id": "keep-recent",
                    "action": "KEEP",
                    "most_recent_versions": {"keep_count": KEPT_VERSIONS},
                },
            ],
            cleanup_policy_dry_run=False,
            opts=self.ours(),
        )
        self.image = pulumi.Output.format(
            "{0}-docker.pkg.dev/{1}/{2}/chicago-crime:{3}",
            config.region,
            config.project,
            self.repository.repository_id,
            config.image_tag,
        )
        self.register_outputs({"image": self.image})
