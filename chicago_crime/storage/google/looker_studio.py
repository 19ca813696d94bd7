"""Links that create a Looker Studio report on the tables, by Google's Linking API.

The API is described at https://developers.google.com/looker-studio/integrate/linking-api. No request is sent from here:
the report is created by the person who opens the link, with their own account.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from chicago_crime.tables import Table

ADDRESS = "https://lookerstudio.google.com/reporting/create"


@dataclass(frozen=True)
class LookerStudio:
    """Makes links to reports on one dataset.

    Attributes:
        project: the Google Cloud project that holds the tables and pays for the reports' queries.
        dataset: their dataset in BigQuery.
    """

    project: str
    dataset: str

    def report_url(self, name: str, tables: Sequence[Table]) -> str:
        """The link that opens a new report for editing, with a data source for each table.

        Args:
            name: of the report, and the beginning of its data sources' names.
            tables: the tables.
        """
        parameters = {"c.mode": "edit", "r.reportName": name}
        for number, table in enumerate(tables):
            source = {
                "connector": "bigQuery",
                "datasourceName": f"{name}: {table.name}",
                "type": "TABLE",
                "projectId": self.project,
                "datasetId": self.dataset,
                "tableId": table.name,
                "billingProjectId": self.project,
            }
            parameters |= {f"ds.ds{number}.{parameter}": value for parameter, value in source.items()}
        return f"{ADDRESS}?{urlencode(parameters)}"
