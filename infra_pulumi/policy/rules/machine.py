"""Machines.

Here belong rules on what a machine is and who logs in. Who reaches it is in `network.py`.
"""

import re

from pulumi_policy import ResourceValidationArgs

from rules.looking import UNKNOWN, Problems, at, rule

INSTANCES = [
    "gcp:compute/instance:Instance",
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "gcp:compute/regionInstanceTemplate:RegionInstanceTemplate",
]
SHIELD = ("enableSecureBoot", "enableVtpm", "enableIntegrityMonitoring")


def _shielded(args: ResourceValidationArgs) -> Problems:
    for part in SHIELD:
        if at(args.props, "shieldedInstanceConfig", part) not in (True, UNKNOWN):
            yield f"shieldedInstanceConfig.{part} is not true: its system could be replaced unseen"


def _os_login(args: ResourceValidationArgs) -> Problems:
    metadata = at(args.props, "metadata", default={})
    if metadata is UNKNOWN:
        return
    if str(at(metadata, "enable-oslogin")).lower() != "true":
        yield 'keys and not roles say who logs in; set the metadata enable-oslogin to "TRUE"'
    if str(at(metadata, "serial-port-enable", default="false")).lower() not in ("false", "0"):
        yield 'its serial port is open to the internet; set the metadata serial-port-enable to "FALSE"'
    for key in ("ssh-keys", "sshKeys"):
        if at(metadata, key) is not None:
            yield f"the metadata {key} lets in whoever has the key"


def _own_account(args: ResourceValidationArgs) -> Problems:
    email = at(args.props, "serviceAccount", "email")
    if email is None or (isinstance(email, str) and re.search(r"-compute@developer\.", email)):
        yield "it runs as the project's default account, which may edit everything; name an account of its own"


RULES = [
    rule("machines-are-shielded", "A machine starts only what Google and its maker signed.", _shielded, INSTANCES),
    rule("login-by-role", "Who logs in to a machine is a matter of roles, through OS Login.", _os_login, INSTANCES),
    rule("machines-have-own-accounts", "No machine runs as the default account.", _own_account, INSTANCES),
]
