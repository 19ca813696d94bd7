"""The base class of all components."""

from collections.abc import Sequence
from typing import Any

import pulumi

from config import Config


class Part(pulumi.ComponentResource):
    """A group of resources that depend on other components.

    Attributes:
        name: its name in Pulumi, and prefix of its resources' names.
        config: the stack's configuration.
        after: the components it depends on. Pulumi does not pass a component's dependencies on to its children.
    """

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource] = ()):
        super().__init__(f"chicago-crime:google:{type(self).__name__}", name)
        self.name = name
        self.config = config
        self.after = after

    def options(self, **own: Any) -> pulumi.ResourceOptions:
        """Return the options of a resource of this component, including any of its own."""
        return pulumi.ResourceOptions(parent=self, depends_on=list(self.after), **own)
