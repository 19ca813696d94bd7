"""The warehouse: the BigQuery dataset.

Here belongs the dataset and no table: the platform makes those, so that `pulumi up` can never drop or change one. Who
may use it is in `access.py`.
"""

from collections.abc import Sequence

import pulumi
from pulumi_gcp import bigquery

from components.part import Part
from config import Config


class Warehouse(Part):
    """The dataset.

    Attributes:
        dataset: it.
    """

    def __init__(self, name: str, config: Config, after: Sequence[pulumi.Resource]):
        super().__init__(name, after)
        self.dataset = bigquery.Dataset(
            f"{name}-dataset",
            project=config.project,
            dataset_id=config.dataset,
            friendly_name="Chicago crime",
            description="Chicago's reported crimes since 2001. Its tables are made by the platform.",
            location=config.region,  # the bucket's: loads and exports need both in one place
            labels=config.labels,
            max_time_travel_hours="168",
            delete_contents_on_destroy=not config.keep_data,
            opts=self.ours(pulumi.ResourceOptions(protect=config.keep_data)),
        )
        self.register_outputs({"dataset": self.dataset.dataset_id})
