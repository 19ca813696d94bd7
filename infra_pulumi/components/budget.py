"""A message when a month costs more than was thought.

Here belongs the alert. It only tells: nothing is switched off. It is off unless the configuration names the billing
account, whose administrators get the mail.
"""

from collections.abc import Sequence

import pulumi
import pulumi_gcp as gcp

from components.part import Part
from config import Config

RULES: tuple[gcp.billing.BudgetThresholdRuleArgsDict, ...] = (
    {"threshold_percent": 0.5, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 0.9, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 1.0, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 1.0, "spend_basis": "FORECASTED_SPEND"},
)
"""At which shares of the budget a mail is sent: of what is spent, and of what the month will probably cost."""


class Budget(Part):
    """The alert, on what the project costs in a calendar month."""

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, after)
        # Budgets belong to the billing account; Google wants to know whose quota a person's request for one uses.
        provider = gcp.Provider(
            f"{name}-provider",
            project=config.project,
            billing_project=config.project,
            user_project_override=True,
            opts=self.ours(),
        )
        project = gcp.organizations.get_project_output(
            project_id=config.project, opts=pulumi.InvokeOutputOptions(parent=self, depends_on=list(after))
        )
        gcp.billing.Budget(
            f"{name}-month",
            billing_account=config.billing_account,
            display_name=config.named(),
            amount={"specified_amount": {"units": str(config.monthly_budget)}},
            budget_filter={
                "projects": [pulumi.Output.format("projects/{0}", project.number)],
                "calendar_period": "MONTH",
            },
            threshold_rules=RULES,
            opts=self.ours(pulumi.ResourceOptions(provider=provider)),
        )
        self.register_outputs({})
