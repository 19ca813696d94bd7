"""What the doctor looks at in BigQuery's dataset: may we make, read and change its tables, and are they ours?

Here belongs trying it without running or changing anything: dry runs, and tests of permissions. The rest of Google
Cloud is looked at in `doctor_gcp.py`.
"""

import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING

from google.cloud import bigquery

from chicago_crime.cli.doctor.examine import Finding
from chicago_crime.storage.google import permissions as may
from chicago_crime.storage.google.bigquery import ddl
from chicago_crime.storage.google.permissions import as_command
from chicago_crime.storage.google.rest import BIGQUERY, Answer
from chicago_crime.storage.warehouse import WarehouseError
from chicago_crime.tables import CRIMES, TABLES, Table

if TYPE_CHECKING:
    from chicago_crime.cli.doctor.google import Looks

_OF_THE_DATASET = {"bigquery.datasets.get", "bigquery.tables.create", "bigquery.tables.list"}
"""Permissions that no table can be asked about."""


def look_at_tables(looks: "Looks") -> Iterator[Finding]:
    """Look at a dataset that is there."""
    what = f"dataset {looks.settings.bigquery_dataset}"
    for table in TABLES.values():
        answer = _dry_run(looks, ddl.create(table))
        if not answer.is_good:
            yield from looks.judged(f"{what}: make {table.name}", answer, may.TABLES)
            break
    else:
        yield Finding(f"{what}: make tables", "ok", f"{len(TABLES)} dry runs of their DDL")
    live = {name: looks.rest.ask(BIGQUERY, _path(looks, name)) for name in TABLES}
    refused = [answer for answer in live.values() if answer.status not in (200, 404)]
    if refused:
        yield from looks.judged(f"{what}: look at tables", refused[0], may.TABLES)
        return
    there = {name: answer for name, answer in live.items() if answer.is_good}
    if not there:
        yield Finding(f"{what}: tables", "ok", "none so far: chicago-crime run --years 2021 fills them")
        return
    yield _may_change(looks, what, list(there))
    yield from _differences(looks, there)
    name = CRIMES.name if CRIMES.name in there else min(there)
    answer = _dry_run(looks, f"SELECT COUNT(*) FROM `{name}`")
    yield from looks.judged(f"{what}: ask tables", answer, may.TABLES)
    if answer.is_good:
        yield Finding(f"{what}: ask tables", "ok", f"{int(there[name].content['numRows']):,} rows in {name}")


def _may_change(looks: "Looks", what: str, names: list[str]) -> Finding:
    wanted = [permission for permission in may.TABLES.permissions if permission not in _OF_THE_DATASET]
    held = set(may.TABLES.permissions)
    for name in names:
        tested = looks.rest.ask(BIGQUERY, f"{_path(looks, name)}:testIamPermissions", {"permissions": wanted})
        held &= tested.permissions | _OF_THE_DATASET
    return looks.held(what, may.TABLES, held)


def _differences(looks: "Looks", there: dict[str, Answer]) -> Iterator[Finding]:
    for name, answer in there.items():
        table: Table = TABLES[name]
        try:
            ddl.missing_columns(table, bigquery.Table.from_api_repr(dict(answer.content)))
        except WarehouseError as error:
            detail, _, rest = str(error).partition(" Migrate it with: ")
            migration = rest.partition("; then load")[0]
            place = looks.settings.gcp_project, looks.settings.bigquery_dataset
            project, dataset = f"--project_id={place[0]}", f"--dataset_id={place[1]}"
            fix = as_command("bq", "query", "--use_legacy_sql=false", project, dataset, migration)
            yield Finding(f"table {name}", "broken", detail, fix)


def _dry_run(looks: "Looks", statement: str) -> Answer:
    settings = looks.settings
    query = {
        "query": statement,
        "useLegacySql": False,
        "defaultDataset": {"projectId": settings.gcp_project, "datasetId": settings.bigquery_dataset},
    }
    job = {
        "jobReference": {
            "projectId": settings.gcp_project,
            "jobId": f"chicago_crime_doctor_{uuid.uuid4().hex}",
            "location": looks.location,
        },
        "configuration": {"dryRun": True, "query": query},
    }
    return looks.rest.ask(BIGQUERY, f"/bigquery/v2/projects/{settings.gcp_project}/jobs", job)


def _path(looks: "Looks", table: str) -> str:
    settings = looks.settings
    return f"/bigquery/v2/projects/{settings.gcp_project}/datasets/{settings.bigquery_dataset}/tables/{table}"
