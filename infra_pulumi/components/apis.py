"""Google's services that the platform needs switched on.

Here belongs the list. Services that every project has from its beginning are in it only if they can be missing.
"""

from pulumi_gcp import projects

from components.part import Part
from config import Config

APIS = (
    "artifactregistry",  # the platform's image
    "bigquery",  # the warehouse
    "cloudresourcemanager",  # roles on the project: giving them here, looking at them for `chicago-crime doctor`
    "compute",  # the machine, and those of Dataproc
    "dataproc",  # Spark, on a cluster or serverless
    "iam",  # the two accounts
    "iap",  # the way to the machine, which has no public address
    "oslogin",  # who may log in there
    "secretmanager",  # Kaggle's token
    "storage",  # the lake
)
FOR_FEDERATION = ("iamcredentials", "sts")
FOR_BUDGET = ("billingbudgets",)


class Apis(Part):
    """The services, switched on. They stay on when the stack is destroyed: others in the project may use them."""

    def __init__(self, name: str, config: Config):
        super().__init__(name)
        wanted = [*APIS]
        if config.github_repository:
            wanted += FOR_FEDERATION
        if config.billing_account:
            wanted += FOR_BUDGET
        for service in wanted:
            projects.Service(
                f"{name}-{service}",
                project=config.project,
                service=f"{service}.googleapis.com",
                disable_on_destroy=False,
                opts=self.ours(),
            )
        self.register_outputs({})
