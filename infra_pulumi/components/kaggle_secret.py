"""Kaggle's API token in Secret Manager.

Here belongs the secret, which is always there, and its value if the configuration has one. A value can as well be
added by hand: `gcloud secrets versions add`.
"""

import pulumi
from pulumi_gcp import secretmanager

from config import Config


class KaggleSecret(pulumi.ComponentResource):
    """The secret.

    Attributes:
        secret: it, with a value or without.
    """

    def __init__(self, name: str, config: Config, opts: pulumi.ResourceOptions | None = None):
        super().__init__("chicago-crime:google:KaggleSecret", name, None, opts)
        self.secret = secretmanager.Secret(
            f"{name}-secret",
            project=config.project,
            secret_id=config.named("kaggle-token"),
            replication={"user_managed": {"replicas": [{"location": config.region}]}},
            labels=config.labels,
            opts=pulumi.ResourceOptions(parent=self),
        )
        if config.kaggle_token is not None:
            secretmanager.SecretVersion(
                f"{name}-token",
                secret=self.secret.id,
                secret_data=config.kaggle_token,
                opts=pulumi.ResourceOptions(parent=self, additional_secret_outputs=["secretData"]),
            )
        self.register_outputs({"secret": self.secret.id})
