"""Kaggle's API token in Secret Manager.

Here belongs the secret, which is always there, and its value if the configuration has one. A value can as well be
added by hand: `gcloud secrets versions add`.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import secretmanager

from components.part import Part
from config import Config


class KaggleSecret(Part):
    """The secret.

    Attributes:
        secret: it, with a value or without.
    """

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, after)
        self.secret = secretmanager.Secret(
            f"{name}-secret",
            project=config.project,
            secret_id=config.named("kaggle-token"),
            replication={"user_managed": {"replicas": [{"location": config.region}]}},
            labels=config.labels,
            opts=self.ours(),
        )
        if config.kaggle_token is not None:
            secretmanager.SecretVersion(
                f"{name}-token",
                secret=self.secret.id,
                secret_data=config.kaggle_token,
                opts=self.ours(pulumi.ResourceOptions(additional_secret_outputs=["secretData"])),
            )
        self.register_outputs({"secret": self.secret.id})
