"""Looking at inputs that may be incomplete.

Here belongs what several rules need to look at a resource. Before things are made, some values are not known yet, and
touching one stops the whole rule; these step over it, and the rule sees it when the resource is made.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from pulumi_policy import ReportViolation, ResourceValidationArgs, ResourceValidationPolicy
from pulumi_policy.proxy import UnknownValueError

UNKNOWN = object()
"""In place of a value that is not known yet."""

Problems = Iterator[str]


def rule(
    name: str,
    description: str,
    judge: Callable[[ResourceValidationArgs], Problems],
    kinds: Sequence[str] = (),
    **more: Any,
) -> ResourceValidationPolicy:
    """A rule on single resources.

    Args:
        name: short, with dashes.
        description: what it asks for, and why.
        judge: gives what is wrong with a resource.
        kinds: the types that it is about, by Pulumi's tokens; every one if there are none.
        **more: as `ResourceValidationPolicy` takes it.
    """

    def validate(args: ResourceValidationArgs, report: ReportViolation) -> None:
        if not kinds or args.resource_type in kinds:
            for problem in judge(args):
                report(f"{args.name}: {problem}", None)

    return ResourceValidationPolicy(name=name, description=description, validate=validate, **more)


def at(value: Any, *path: str | int, default: Any = None) -> Any:
    """What is at a path below a value: `default` if there is nothing, `UNKNOWN` if it is not known yet."""
    for step in path:
        try:
            value = value[step]
        except UnknownValueError:
            return UNKNOWN
        except (KeyError, IndexError, TypeError):
            return default
    return default if value is None else value


def each(value: Any, *path: str | int) -> list[Any]:
    """The known elements of the list at a path; none if there is no list."""
    found = at(value, *path, default=())
    if not isinstance(found, Sequence) or isinstance(found, str):
        return []
    return [element for number in range(len(found)) if (element := at(found, number)) is not UNKNOWN]


def texts(value: Any) -> Iterator[str]:
    """Every known text below a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key in value:
            yield from texts(at(value, key))
    elif isinstance(value, Sequence):
        for element in each(value):
            yield from texts(element)
