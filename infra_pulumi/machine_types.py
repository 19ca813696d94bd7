"""Google's machine types, as far as their names tell: which are none, and which are too small or of the wrong kind.

Here belongs judging a name. Whether a zone has machines of that type, only Google knows.
"""

import re

MEMORY_GB_PER_CPU = {"standard": 3.75, "highmem": 6.5, "highcpu": 0.9}
"""The least that any family has."""

LEAST_MEMORY_GB = 7.5
"""What Dagster, its database and the dashboard take together, with what a run takes beside them."""

_NAME = re.compile(r"(?P<family>[a-z]\d[a-z]?)-(?P<kind>standard|highmem|highcpu)-(?P<cpus>[1-9]\d*)(-lssd)?")
_SHARED = re.compile(r"(e2-(micro|small|medium)|f1-micro|g1-small)")
_ARM = {"t2a", "c4a", "n4a", "a4x"}


def check_machine(name: str) -> str:
    """A machine type's name, if it is one of an x86 machine.

    Raises:
        ValueError: it is not; the message says why.
    """
    _parts(name)
    return name


def check_machine_for_platform(name: str) -> str:
    """A machine type's name, if the platform fits into such a machine.

    Raises:
        ValueError: it does not, or there is no such type; the message says why.
    """
    match = _parts(name)
    if int(match["cpus"]) * MEMORY_GB_PER_CPU[match["kind"]] < LEAST_MEMORY_GB:
        raise ValueError("it has too little memory")
    return name


def _parts(name: str) -> re.Match[str]:
    if _SHARED.fullmatch(name):
        raise ValueError("it has too little memory")
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError("it is no machine type such as e2-standard-2")
    if match["family"] in _ARM:
        raise ValueError("it is a machine with ARM processors, and the images are for x86")
    return match
