"""Who works: the machine's account, as which Dagster runs, and the account of the machines that Spark runs on.

Here belongs making them. What they may do is in `access.py`. Neither ever has a key: Google hands their credentials to
the machines that run as them.
"""

import pulumi
from pulumi_gcp import serviceaccount

from config import Config


class Identities(pulumi.ComponentResource):
    """The two accounts.

    Attributes:
        platform: the machine's: Dagster and the dashboard.
        spark: that of Dataproc's machines.
    """

    def __init__(self, name: str, config: Config, opts: pulumi.ResourceOptions | None = None):
        super().__init__("chicago-crime:google:Identities", name, None, opts)

        def account(what: str, title: str, description: str) -> serviceaccount.Account:
            return serviceaccount.Account(
                f"{name}-{what}",
                project=config.project,
                account_id=config.named(what),
                display_name=title,
                description=description,
                opts=pulumi.ResourceOptions(parent=self),
            )

        self.platform = account("vm", f"Chicago crime ({config.stack})", "Dagster and the dashboard, on the machine")
        self.spark = account("spark", f"Chicago crime Spark ({config.stack})", "The machines that Spark runs on")
        self.register_outputs({"platform": self.platform.email, "spark": self.spark.email})
