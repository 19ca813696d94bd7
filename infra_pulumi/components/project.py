"""The project's enabled APIs and, if a billing account is configured, a budget alert."""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from components.part import Part
from config import Config

APIS = (
    "artifactregistry",  # the platform's image
    "bigquery",  # the warehouse
    "cloudresourcemanager",  # roles on the project: granted here, checked by `chicago-crime doctor`
    "compute",  # the machine, and Dataproc's machines
    "dataproc",  # Spark, on a cluster or serverless
    "dataprocrm",  # serverless, since runtime 3.0
    "iam",  # the two service accounts
    "iap",  # access to the machine, which has no public address
    "oslogin",  # SSH logins
    "secretmanager",  # Kaggle's token
    "storage",  # the lake
)
APIS_FOR_FEDERATION = ("iamcredentials", "sts")
APIS_FOR_BUDGET = ("billingbudgets",)

THRESHOLDS: tuple[gcp.billing.BudgetThresholdRuleArgsDict, ...] = (
    {"threshold_percent": 0.5, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 0.9, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 1.0, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 1.0, "spend_basis": "FORECASTED_SPEND"},
)
"""The shares of the budget at which Google sends an email."""


class Apis(Part):
    """The enabled APIs. `pulumi destroy` leaves them enabled, because others in the project may use them."""

    def __init__(self, name: str, config: Config):
        super().__init__(name, config)
        apis = list(APIS)
        if config.github_repository:
            apis += APIS_FOR_FEDERATION
        if config.billing_account:
            apis += APIS_FOR_BUDGET
        for api in apis:
            gcp.projects.Service(
                f"{name}-{api}",
                service=f"{api}.googleapis.com",
                disable_on_destroy=False,
                opts=self.options(),
            )
        self.register_outputs({})


class Budget(Part):
    """An alert on the project's monthly cost, sent to the billing account's administrators. It stops nothing."""

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, config, after)
        # A budget belongs to the billing account, so Google needs to know which project's API quota to use.
        provider = gcp.Provider(
            f"{name}-provider",
            project=config.project,
            billing_project=config.project,
            user_project_override=True,
            opts=self.options(),
        )
        gcp.billing.Budget(
            f"{name}-month",
            billing_account=config.billing_account,
            display_name=config.named(),
            amount={"specified_amount": {"units": str(config.monthly_budget)}},
            budget_filter={"projects": [f"projects/{config.project_number}"], "calendar_period": "MONTH"},
            threshold_rules=THRESHOLDS,
            opts=self.options(provider=provider),
        )
        self.register_outputs({})
