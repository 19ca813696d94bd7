"""What all parts have in common.

Here belongs how a part stands in Pulumi's tree, and that what is in it waits for what the part needs.
"""

from collections.abc import Sequence

import pulumi


class Part(pulumi.ComponentResource):
    """A group of resources, below which they are shown.

    Attributes:
        after: other parts, on whose resources those of this one depend. Pulumi does not hand on what a component
            depends on by itself.
    """

    def __init__(self, name: str, after: Sequence[pulumi.Resource] = ()):
        super().__init__(f"chicago-crime:google:{type(self).__name__}", name)
        self.after = after

    def ours(self, own: pulumi.ResourceOptions | None = None) -> pulumi.ResourceOptions:
        """The options of a resource that belongs to this part, and has some of its own."""
        return pulumi.ResourceOptions.merge(own, pulumi.ResourceOptions(parent=self, depends_on=list(self.after)))
