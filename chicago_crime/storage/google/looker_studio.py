"""Links that create a Looker Studio report on the tables, with Google's Linking API.

The API is described at https://developers.google.com/looker-studio/integrate/linking-api. No request is sent from here:
whoever opens the link creates the report, with their own account.
"""

from collections.abc import Sequence
from urllib.parse import urlencode

from chicago_crime.tables import Table

ADDRESS = "https://lookerstudio.google.com/reporting/create"


def report_url(project: str, dataset: str, name: str, tables: Sequence[Table]) -> str:
    """Return the link that opens a new report for editing, with a data source for each table.

    The project owns the tables and pays for the report's queries.
    """
    parameters = {"c.mode": "edit", "r.reportName": name}
    for number, table in enumerate(tables):
        source = {
            "connector": "bigQuery",
            "datasourceName": f"{name}: {table.name}",
            "type": "TABLE",
            "projectId": project,
            "datasetId": dataset,
            "tableId": table.name,
            "billingProjectId": project,
        }
        parameters |= {f"ds.ds{number}.{parameter}": value for parameter, value in source.items()}
    return f"{ADDRESS}?{urlencode(parameters)}"
