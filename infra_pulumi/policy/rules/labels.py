"""Labels, by which bills and lists tell what belongs to the platform.

Here belongs that everything has them. Which things can have labels, the provider's own package says.
"""

import importlib
import inspect
from functools import cache

from pulumi_policy import ResourceValidationArgs

from rules.looking import UNKNOWN, Problems, at, rule

WANTED = ("platform", "environment", "managed-by")


@cache
def takes_labels(kind: str) -> bool:
    """Whether a resource of this type can be labelled, by the token of its type."""
    package, _, rest = kind.partition(":")
    place, _, name = rest.partition(":")
    if package != "gcp":
        return False
    module = importlib.import_module(f"pulumi_gcp.{place.partition('/')[0]}")
    resource = getattr(module, name, None)
    return resource is not None and "labels" in inspect.signature(resource._internal_init).parameters


def _labelled(args: ResourceValidationArgs) -> Problems:
    if not takes_labels(args.resource_type):
        return
    labels = at(args.props, "labels", default={})
    if labels is UNKNOWN:
        return
    missing = [name for name in WANTED if name not in labels]
    if missing:
        yield f"it has no label {', '.join(missing)}"


RULES = [rule("everything-is-labelled", "Whatever can have labels has the platform's.", _labelled)]
