"""BigQuery on loopback: the REST API v2 for datasets, tables and jobs, with DuckDB and Google's own SQL analyzer.

Jobs and SQL are in `bigquery_engine.py`, tables and files in `bigquery_catalog.py`.
"""

import calendar
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from chicago_crime_tests.servers.bigquery_catalog import REST_NAMES, Catalog, LiveTable
from chicago_crime_tests.servers.bigquery_engine import PROJECT, Jobs
from chicago_crime_tests.servers.google_server import GoogleHandler, GoogleServer, Json, RefusedError
from chicago_crime_tests.servers.storage_server import StorageServer

LABEL = re.compile("[a-z0-9_-]{0,63}")


class _Handler(GoogleHandler):
    server: "BigQueryServer"
    api_name = "bigquery.v2"

    def _may(self, permission: str, where: str) -> None:
        self.may(permission, f"Access Denied: {where}", "accessDenied")

    def _on_datasets_get(self, of: Mapping[str, str]) -> Json:
        self._may("bigquery.datasets.get", f"Dataset {PROJECT}:{of['datasetId']}")
        if of["datasetId"] not in self.server.catalog.datasets:
            raise RefusedError(404, f"Not found: Dataset {PROJECT}:{of['datasetId']}")
        return self.server.catalog.datasets[of["datasetId"]]

    def _on_datasets_insert(self, of: Mapping[str, str]) -> Json:
        self.server.catalog.add_dataset(self.given["datasetReference"]["datasetId"], self.given)
        return self.given

    def _on_datasets_delete(self, of: Mapping[str, str]) -> None:
        self._may("bigquery.datasets.delete", f"Dataset {PROJECT}:{of['datasetId']}")
        catalog = self.server.catalog
        with catalog.lock:
            if catalog.datasets.pop(of["datasetId"], None) is None:
                raise RefusedError(404, f"Not found: Dataset {PROJECT}:{of['datasetId']}")
            catalog.tables = {name: table for name, table in catalog.tables.items() if name[0] != of["datasetId"]}
            catalog.database.cursor().execute(f'DROP SCHEMA "{of["datasetId"]}" CASCADE')

    def _on_tables_get(self, of: Mapping[str, str]) -> Json:
        self._may("bigquery.tables.get", f"Table {PROJECT}:{of['datasetId']}.{of['tableId']}")
        return self._resource(self._table(of))

    def _on_tables_patch(self, of: Mapping[str, str]) -> Json:
        table = self._table(of)
        with self.server.catalog.lock:
            labels = table.labels | self.given["labels"]
            table.about["labels"] = {name: value for name, value in labels.items() if value is not None}
            if len(table.labels) > 64 or not all(LABEL.fullmatch(value) for value in table.labels.values()):
                raise RefusedError(400, "Label values contain up to 63 lower-case letters, digits, _ and -; at most 64")
        return self._resource(table)

    def _on_tables_insert(self, of: Mapping[str, str]) -> Json:
        """Create a table without columns; tables with columns are created by DDL."""
        dataset, name = of["datasetId"], self.given["tableReference"]["tableId"]
        self._may("bigquery.tables.create", f"Dataset {PROJECT}:{dataset}")
        assert not self.given.get("schema", {}).get("fields"), "tables.insert with a schema is not implemented here"
        table = LiveTable(dataset, name, [], self.given)
        with self.server.catalog.lock:
            if (dataset, name) in self.server.catalog.tables:
                raise RefusedError(409, f"Already Exists: Table {PROJECT}:{dataset}.{name}")
            self.server.catalog.add(table)
        return self._resource(table)

    def _on_tables_delete(self, of: Mapping[str, str]) -> None:
        self._may("bigquery.tables.delete", f"Table {PROJECT}:{of['datasetId']}.{of['tableId']}")
        self.server.catalog.remove(self._table(of))

    def _on_tables_testIamPermissions(self, of: Mapping[str, str]) -> Json:  # noqa: N802
        return self.held(self.given["permissions"])

    def _on_jobs_insert(self, of: Mapping[str, str]) -> Json:
        about = self.given.get("jobReference", {})
        self._may("bigquery.jobs.create", f"Project {PROJECT}")
        query = self.given["configuration"].get("query", {})
        if query.get("query", "").startswith("CREATE TABLE"):
            self._may("bigquery.tables.create", f"Dataset {PROJECT}:{query['defaultDataset']['datasetId']}")
        location = about.get("location", self.server.location)
        if location != self.server.location:
            raise RefusedError(404, f"Not found: Dataset was not found in location {location}")
        job = self.server.jobs.begin(self.given["configuration"], about.get("jobId"), location)
        return job.resource()

    def _on_jobs_get(self, of: Mapping[str, str]) -> Json:
        if (job := self.server.jobs.by_id.get(of["jobId"])) is None:
            raise RefusedError(404, f"Not found: Job {PROJECT}:{of['jobId']}")
        return job.resource()

    def _on_jobs_query(self, of: Mapping[str, str]) -> Json:
        location = self.given.get("location", self.server.location)
        job = self.server.jobs.begin({"query": self.given}, None, location)
        job.done.wait()
        job.require_success()
        body: Json = {
            "jobReference": {"projectId": PROJECT, "jobId": job.id, "location": job.location},
            "jobComplete": True,
        }
        if columns := job.columns:
            fields = [{"name": name, "type": REST_NAMES.get(kind, kind)} for name, kind in columns]
            sent = job.rows[: self.given.get("maxResults")]
            rows = [{"f": [{"v": _value(v, k)} for v, (_, k) in zip(row, columns, strict=True)]} for row in sent]
            body |= {"schema": {"fields": fields}, "totalRows": str(len(job.rows)), "rows": rows}
        return body

    def _table(self, of: Mapping[str, str]) -> LiveTable:
        return self.server.catalog.find(of["datasetId"], of["tableId"].partition("$")[0])

    def _resource(self, table: LiveTable) -> Json:
        rows, size = self.server.catalog.size(table)
        fields = [
            {"name": name, "type": REST_NAMES.get(kind, kind), "mode": "NULLABLE", "description": description}
            for name, kind, description in table.columns
        ]
        return table.about | {
            "tableReference": {"projectId": PROJECT, "datasetId": table.dataset, "tableId": table.name},
            "schema": {"fields": fields},
            "numRows": str(rows),
            "numBytes": str(size),
        }


class BigQueryServer(GoogleServer):
    """BigQuery, with a storage server's buckets.

    Attributes:
        catalog: datasets and tables.
        jobs: all jobs.
    """

    handler = _Handler

    def __init__(self, storage: StorageServer):
        super().__init__()
        self.location = "us-central1"
        self.catalog = Catalog(storage.buckets)
        self.jobs = Jobs(self.catalog)

    def rows(self, dataset: str, table: str) -> list[dict[str, Any]]:
        """A table's rows, without recording a request."""
        live = self.catalog.find(dataset, table)
        names = ", ".join(f'"{name}"' for name, _, _ in live.columns)
        return self.catalog.database.cursor().sql(f"SELECT {names} FROM {live.rows_table}").to_arrow_table().to_pylist()


def _value(value: Any, kind: str) -> Any:
    match value:
        case None:
            return None
        case bool():
            return "true" if value else "false"
        case datetime() if kind == "TIMESTAMP":  # microseconds, as requested by the client
            return str(calendar.timegm(value.timetuple()) * 1_000_000 + value.microsecond)
        case date():
            return value.isoformat()
    return str(value)
