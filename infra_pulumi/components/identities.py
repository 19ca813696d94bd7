"""Who works: the machine's account, as which Dagster runs, and the account of the machines that Spark runs on.

Here belongs making them. What they may do is in `access.py`. Neither ever has a key: Google hands their credentials to
the machines that run as them.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import serviceaccount

from components.part import Part
from config import Config


class Identities(Part):
    """The two accounts.

    Attributes:
        platform: the machine's: Dagster and the dashboard.
        spark: that of Dataproc's machines.
    """

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, after)

        def account(what: str, title: str, description: str) -> serviceaccount.Account:
            return serviceaccount.Account(
                f"{name}-{what}",
                project=config.project,
                account_id=config.named(what),
                display_name=title,
                description=description,
                opts=self.ours(),
            )

        self.platform = account("vm", f"Chicago crime ({config.stack})", "Dagster and the dashboard, on the machine")
        self.spark = account("spark", f"Chicago crime Spark ({config.stack})", "The machines that Spark runs on")
        self.register_outputs({"platform": self.platform.email, "spark": self.spark.email})
