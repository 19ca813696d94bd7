"""A message when a month costs more than was thought.

Here belongs the alert. It only tells: nothing is switched off. It is off unless the configuration names the billing
account, whose administrators get the mail.
"""

import pulumi
import pulumi_gcp as gcp

from config import Config

RULES: tuple[gcp.billing.BudgetThresholdRuleArgsDict, ...] = (
    {"threshold_percent": 0.5, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 0.9, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 1.0, "spend_basis": "CURRENT_SPEND"},
    {"threshold_percent": 1.0, "spend_basis": "FORECASTED_SPEND"},
)
"""At which shares of the budget a mail is sent: of what is spent, and of what the month will probably cost."""


class Budget(pulumi.ComponentResource):
    """The alert, on what the project costs in a calendar month."""

    def __init__(self, name: str, config: Config, opts: pulumi.ResourceOptions | None = None):
        super().__init__("chicago-crime:google:Budget", name, None, opts)
        # Budgets belong to the billing account; Google wants to know whose quota a person's request for one uses.
        provider = gcp.Provider(
            f"{name}-provider",
            project=config.project,
            billing_project=config.project,
            user_project_override=True,
            opts=pulumi.ResourceOptions(parent=self),
        )
        number = gcp.organizations.get_project_output(
            project_id=config.project, opts=pulumi.InvokeOutputOptions(parent=self)
        ).number
        gcp.billing.Budget(
            f"{name}-month",
            billing_account=config.billing_account,
            display_name=config.named(),
            amount={"specified_amount": {"units": str(config.monthly_budget)}},
            budget_filter={"projects": [pulumi.Output.format("projects/{0}", number)], "calendar_period": "MONTH"},
            threshold_rules=RULES,
            opts=pulumi.ResourceOptions(parent=self, provider=provider),
        )
        self.register_outputs({})
