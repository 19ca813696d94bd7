"""Who may do what.

Here belong rules on roles, keys and the public. Which roles the platform needs is in the README.
"""

import re

from pulumi_policy import ResourceValidationArgs

from rules.looking import Problems, at, each, rule, texts

PUBLIC = {"allUsers", "allAuthenticatedUsers"}
PUBLIC_LISTS = {"publicRead", "publicReadWrite", "authenticatedRead", "bucketOwnerPublicRead"}
BASIC = {"roles/owner", "roles/editor", "roles/viewer", "roles/browser", "roles/bigquery.dataOwner"}
WIDE = ("gcp:projects/", "gcp:folder/", "gcp:organizations/")


def _public(args: ResourceValidationArgs) -> Problems:
    for text in sorted(set(texts(args.props))):
        if text in PUBLIC:
            yield f"{text} is everybody; name who it is for"
        elif text in PUBLIC_LISTS:
            yield f"the predefined list {text} admits everybody"
        elif re.search(r'"(allUsers|allAuthenticatedUsers)"', text):
            yield "a policy in it names allUsers or allAuthenticatedUsers, which is everybody"


def _keys(args: ResourceValidationArgs) -> Problems:
    if args.resource_type in ("gcp:serviceaccount/key:Key", "gcp:storage/hmacKey:HmacKey"):
        yield "a key can be copied and lasts; use the machine's account or workload identity federation"


def _wide(args: ResourceValidationArgs) -> Problems:
    if not args.resource_type.startswith(WIDE) or "/iAM" not in args.resource_type:
        return
    role = at(args.props, "role", default="")
    if isinstance(role, str) and (role in BASIC or re.search(r"admin|owner", role, re.IGNORECASE)):
        yield f"{role} on all of a project or more; give a smaller role, on the one bucket, dataset or machine"


def _whole(args: ResourceValidationArgs) -> Problems:
    if re.search(r"/iAM(Policy|Binding):", args.resource_type) and args.resource_type.startswith(WIDE):
        yield "it takes away what others were given, Google's own service agents included; use IAMMember"


def _impersonation(args: ResourceValidationArgs) -> Problems:
    roles = {"roles/iam.serviceAccountUser", "roles/iam.serviceAccountTokenCreator"}
    if args.resource_type.startswith(WIDE) and at(args.props, "role") in roles:
        yield "it lets act as every account of the project; give it on the one account"


def _federation(args: ResourceValidationArgs) -> Problems:
    condition = at(args.props, "attributeCondition", default="")
    issuers = [at(args.props, "oidc", "issuerUri", default="")]
    if any(isinstance(issuer, str) and "githubusercontent.com" in issuer for issuer in issuers) and condition == "":
        yield "every repository at GitHub could sign in; set attributeCondition"


def _dataset_shared(args: ResourceValidationArgs) -> Problems:
    for access in [args.props, *each(args.props, "accesses")]:
        if at(access, "domain"):
            yield "a whole domain may read it; name a group"


RULES = [
    rule("no-public-access", "Nothing is given to everybody in the internet.", _public),
    rule("no-keys", "Accounts have no keys: what does not exist cannot leak.", _keys),
    rule("no-wide-roles", "No basic role and no admin's on a project, a folder or an organization.", _wide),
    rule("no-whole-policies", "A project's roles are added to, and never replaced as a whole.", _whole),
    rule("no-wide-impersonation", "Acting as an account is allowed on that account, and not on all.", _impersonation),
    rule(
        "federation-is-limited",
        "Only named repositories sign in through federation.",
        _federation,
        ["gcp:iam/workloadIdentityPoolProvider:WorkloadIdentityPoolProvider"],
    ),
    rule(
        "no-whole-domains",
        "A dataset is not shared with a whole domain.",
        _dataset_shared,
        ["gcp:bigquery/dataset:Dataset", "gcp:bigquery/datasetAccess:DatasetAccess"],
    ),
]
