"""The policy pack: `pulumi preview` and `pulumi up` with `--policy-pack policy` refuse what breaks a rule.

Here belongs which rules there are. What they say is in `rules/`.
"""

from pulumi_policy import EnforcementLevel, PolicyPack

from rules import access, data, labels, machine, network

PolicyPack(
    name="chicago-crime",
    enforcement_level=EnforcementLevel.MANDATORY,
    policies=[*access.RULES, *data.RULES, *labels.RULES, *machine.RULES, *network.RULES],
)
