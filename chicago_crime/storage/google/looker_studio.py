"""Looker Studio: the address that makes a report over our tables, by Google's Linking API.

https://developers.google.com/looker-studio/integrate/linking-api describes the address. Nothing is asked of Google
here: whoever opens the address makes the report, signed in as themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from chicago_crime.tables import Table

ADDRESS = "https://lookerstudio.google.com/reporting/create"


@dataclass(frozen=True)
class LookerStudio:
    """Where the tables are that reports read.

    Attributes:
        project: the Google Cloud project that holds the tables, and pays for what reports read.
        dataset: their dataset in BigQuery.
    """

    project: str
    dataset: str

    def report_url(self, name: str, tables: Sequence[Table]) -> str:
        """The address that opens a new report, to be edited, with a data source for each table.

        Args:
            name: of the report; the names of its data sources begin with it.
            tables: which tables.
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
