"""Tests of the JSON API: it returns the content of the pages and conforms to its OpenAPI document."""

import csv
import io

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance
from starlette.applications import Starlette
from starlette.testclient import TestClient

from chicago_crime.dashboard.app import PAGES, Dashboard
from chicago_crime.installation import Installation
from chicago_crime.serve.api import routes
from chicago_crime.settings import Settings


@pytest.fixture(scope="session")
def app(sample: Settings) -> Starlette:
    named = sample.model_copy(update={"dashboard_hosts": "testserver"})  # the host name of test clients
    dashboard = Dashboard(Installation(named))
    dashboard.more = routes(dashboard)
    return dashboard.application()


@pytest.fixture(scope="session")
def api(app: Starlette) -> TestClient:
    return TestClient(app)


@pytest.mark.parametrize("page", PAGES)
def test_an_answer_has_tables_snapshot_and_filters_of_the_page(api: TestClient, page: str) -> None:
    answer = api.get(f"/api/v1/{page}?year=2015&year=2016&offense_class=violent").json()
    assert answer["snapshot"] in answer["citation"]
    assert (answer["years"][-1], answer["synthetic_years"]) == (2016, [2014, 2015, 2016])
    assert answer["filters"] == {"year": ["2015", "2016"], "offense_class": ["violent"]}
    tables = [table for section in answer["sections"] for table in section["tables"]]
    assert tables
    for table in tables:
        text = api.get(f"/download/{page}/{table['name']}.csv?year=2015-2016&offense_class=violent").text
        download = list(csv.DictReader(io.StringIO(text)))
        assert [column["name"] for column in table["columns"]] == list(download[0])[:-1]
        assert table["matching"] == len(download) >= len(table["rows"])


def test_a_long_table_is_truncated_and_counted(api: TestClient) -> None:
    [_, blocks] = api.get("/api/v1/incidents").json()["sections"]
    [table] = blocks["tables"]
    assert len(table["rows"]) == 1000
    assert table["matching"] == len(api.get("/download/incidents/blocks.json").json()["rows"]) > 1000


@pytest.mark.parametrize(("shown", "kind"), [("wards", "ward"), ("hot_spots", "cell")])
def test_maps_without_rates_have_a_note(api: TestClient, shown: str, kind: str) -> None:
    note = f"The map shows counts, not rates: there is no population data by {kind}."
    assert api.get(f"/api/v1/where?map={shown}&measure=rate").json()["notes"] == [note]
    assert note in api.get(f"/where?map={shown}&measure=rate").text
    assert api.get("/api/v1/where?map=areas&measure=rate").json()["notes"] == []


def test_an_unchanged_answer_is_304(api: TestClient) -> None:
    first = api.get("/api/v1/overview?year=2015")
    again = api.get("/api/v1/overview?year=2015", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = api.get("/api/v1/overview?year=2016", headers={"If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("address", "status", "problem"),
    [
        ("overview?color=red", 400, "color: not a parameter of /api/v1/overview, which accepts year, group, "),
        ("overview?as_of=yesterday", 400, "'yesterday' is neither a day"),
        ("when?location=stret", 400, "there is no location type 'stret'. Closest matches: STREET"),
        ("incidents?sort=foo:bar", 400, "sort=foo:bar: write incidents:-date"),
        ("overview?beat=1812&beat=3000", 400, "there is no beat '3000'. Closest matches: "),
        ("incidents?block=000XX%20N%20STATE%20STT", 400, "Closest matches: 0000X N STATE ST"),
        ("overview?year=2003", 404, "2003 is not loaded"),
        ("weather", 404, "/api/v1/weather does not exist: the pages are signals, overview, "),
    ],
)
def test_errors_are_json(api: TestClient, address: str, status: int, problem: str) -> None:
    response = api.get(f"/api/v1/{address}")
    assert response.status_code == status
    assert problem in response.json()["problem"]


def test_no_matching_crimes_are_an_answer_of_zero(api: TestClient) -> None:
    for page in set(PAGES) - {"signals", "data"}:
        response = api.get(f"/api/v1/{page}?type=ARSON&start=2016-03-01&finish=2016-03-01&beat=111&hour=3&ward=50")
        assert response.status_code == 200
        answer = response.json()
        assert answer["sections"] == [] and [one["value"] for one in answer["numbers"]] == ["0"]
        assert "2016 match these filters" in answer["notes"][-1]


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("mode", GenerationMode)
def test_answers_conform_to_the_openapi_document(app: Starlette, page: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_asgi("/openapi.json", app)[f"/api/v1/{page}"]["GET"]

    @given(operation.as_strategy(generation_mode=mode))
    @settings(max_examples=15, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    def conforms(case: schemathesis.Case) -> None:
        # valid types, descriptions and locations depend on the snapshot, not on the document
        case.call_and_validate(excluded_checks=[positive_data_acceptance])

    conforms()
