"""Networks.

Here belong rules on who reaches what.
"""

from pulumi_policy import ResourceValidationArgs

from rules.looking import UNKNOWN, Problems, at, each, rule
from rules.machine import INSTANCES


def _open(args: ResourceValidationArgs) -> Problems:
    if at(args.props, "direction", default="INGRESS") == "EGRESS" or not at(args.props, "allows"):
        return
    ranges = at(args.props, "sourceRanges", default=())
    tags, accounts = at(args.props, "sourceTags"), at(args.props, "sourceServiceAccounts")
    if not ranges and not tags and not accounts:
        yield "it names no source, which Google takes as the whole internet"
    for source in each(args.props, "sourceRanges"):
        if _is_huge(source):
            yield f"{source} is half of the internet or more"


def _is_huge(source: str) -> bool:
    address, _, bits = source.partition("/")
    return bits.isdigit() and int(bits) <= 1 and not address.startswith("10.")


def _public_address(args: ResourceValidationArgs) -> Problems:
    for number, interface in enumerate(each(args.props, "networkInterfaces")):
        for what in ("accessConfigs", "ipv6AccessConfigs"):
            if at(interface, what) not in (None, UNKNOWN):
                yield f"networkInterfaces[{number}].{what} gives it a public address; IAP and Cloud NAT need none"


def _private_google(args: ResourceValidationArgs) -> Problems:
    own = ("PRIVATE", UNKNOWN)  # others are proxies' subnets, which have no such switch
    is_own = at(args.props, "purpose", default="PRIVATE") in own
    if is_own and at(args.props, "privateIpGoogleAccess") not in (True, UNKNOWN):
        yield "without a public address nothing in it reaches Google; set privateIpGoogleAccess to true"


def _made_subnets(args: ResourceValidationArgs) -> Problems:
    if at(args.props, "autoCreateSubnetworks", default=True) is True:
        yield "it has a subnet in every region of the world; set autoCreateSubnetworks to false"


RULES = [
    rule("no-open-firewalls", "No firewall rule admits the internet.", _open, ["gcp:compute/firewall:Firewall"]),
    rule("no-public-addresses", "No machine has a public address.", _public_address, INSTANCES),
    rule(
        "subnets-reach-google",
        "Subnets have Private Google Access.",
        _private_google,
        ["gcp:compute/subnetwork:Subnetwork"],
    ),
    rule("networks-are-small", "Networks have chosen subnets only.", _made_subnets, ["gcp:compute/network:Network"]),
]
