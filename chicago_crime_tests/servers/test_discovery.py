"""Tests of `chicago_crime_tests/servers/discovery.py`."""

from typing import Any

import pytest

from chicago_crime_tests.servers.discovery import NotOfTheApiError, api

JOBS = "/bigquery/v2/projects/p/jobs"
CLUSTERS = "/v1/projects/p/regions/r/clusters"
CLUSTER = {"projectId": "p", "clusterName": "c"}
OBJECTS = "/upload/storage/v1/b/bucket/o"


def query_job(**query: object) -> dict[str, Any]:
    return {"jobReference": {"projectId": "p", "jobId": "j"}, "configuration": {"query": query}}


def with_status(state: object) -> dict[str, Any]:
    return {**CLUSTER, "status": {"state": state}}


def test_a_method_is_known_by_its_address_and_so_are_the_names_in_it() -> None:
    called = api("storage.v1").check_request("GET", "/storage/v1/b/bucket/o/crimes%2F2014.csv", {"alt": "media"})
    assert called.method == "storage.objects.get"
    assert called.parameters == {"bucket": "bucket", "object": "crimes/2014.csv"}
    assert called.is_download
    operation = "/v1/projects/p/regions/r/operations/o"
    assert api("dataproc.v1").check_request("GET", operation, {}).parameters == {"name": operation[4:]}


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("storage.v1", ("POST", OBJECTS, {"uploadType": "resumable", "ifGenerationMatch": "0"}, {"name": "a"})),
        ("storage.v1", ("GET", "/storage/v1/b/x/iam/testPermissions", {"permissions": ["a", "b"]})),
        ("bigquery.v2", ("POST", JOBS, {}, query_job(query="SELECT 1", useLegacySql=False, maximumBytesBilled="9"))),
        ("bigquery.v2", ("POST", JOBS, {}, query_job(query="SELECT 1", maximumBytesBilled=9))),
        ("bigquery.v2", ("POST", JOBS, {}, b'{"configuration": {"query": {"query": "SELECT 1"}}}')),
        ("dataproc.v1", ("POST", CLUSTERS, {"requestId": "r"}, CLUSTER | {"labels": {"a": "b"}})),
        ("dataproc.v1", ("POST", CLUSTERS, {"$alt": "json;enum-encoding=int"}, with_status(2))),
    ],
)  # fmt: skip
def test_what_is_of_the_api_passes(name: str, request_: tuple) -> None:
    api(name).check_request(*request_)


@pytest.mark.parametrize(
    ("name", "request_", "problem"),
    [
        ("bigquery.v2", ("GET", "/bigquery/v2/x", {}), "no method at GET /bigquery/v2/x"),
        ("bigquery.v2", ("GET", JOBS + "/j", {"locatoin": "US"}), "bigquery.jobs.get: unknown parameter locatoin"),
        ("bigquery.v2", ("GET", JOBS, {"maxResults": "many"}), "parameter maxResults: 'many' is not uint32"),
        ("bigquery.v2", ("GET", JOBS, {"projection": "some"}), "'some' is not one of full, minimal"),
        ("bigquery.v2", ("GET", JOBS + "/j", {"location": ["US", "EU"]}), "parameter location is given 2 times"),
        ("bigquery.v2", ("POST", JOBS, {}, query_job(qurey="SELECT 1")), "configuration.query: unknown field qurey"),
        ("bigquery.v2", ("POST", JOBS, {}, query_job(useLegacySql=False)), "field query is missing"),
        ("bigquery.v2", ("POST", JOBS, {}, query_job(query=1)), "configuration.query.query: 1 is not string"),
        ("bigquery.v2", ("POST", JOBS, {}, query_job(query="", useLegacySql="no")), "'no' is not boolean"),
        ("bigquery.v2", ("POST", JOBS, {}, query_job(query="", maximumBytesBilled=1.5)), "1.5 is not string int64"),
        ("bigquery.v2", ("POST", JOBS, {}, query_job(query="", queryParameters={})), "{} is not a list"),
        ("storage.v1", ("GET", "/storage/v1/b/x/iam/testPermissions", {}), "parameter permissions is missing"),
        ("storage.v1", ("DELETE", "/storage/v1/b/x", {}, {"name": "x"}), "it takes no body"),
        ("dataproc.v1", ("POST", CLUSTERS, {}, with_status(2)), "2 is not one of"),
        ("dataproc.v1", ("POST", CLUSTERS, {}, {"clusterName": "c"}), "body: field projectId is missing"),
    ],
)  # fmt: skip
def test_what_is_not_of_the_api_is_named(name: str, request_: tuple, problem: str) -> None:
    with pytest.raises(NotOfTheApiError) as raised:
        api(name).check_request(*request_)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"size": 5}, "answer.size: 5 is not string uint64"),
        ({"updated": "yesterday"}, "answer.updated: 'yesterday' is not string date-time"),
        ({"metadata": {"a": 1}}, "answer.metadata.a: 1 is not string"),
        ({"colour": "red"}, "answer: unknown field colour"),
    ],
)
def test_an_answer_is_held_to_the_type_that_google_writes(answer: dict, problem: str) -> None:
    storage = api("storage.v1")
    called = storage.check_request("GET", "/storage/v1/b/x/o/y", {})
    storage.check_answer(
        called, {"name": "y", "size": "5", "updated": "2026-01-02T03:04:05.678Z", "metadata": {"a": "b"}}
    )
    with pytest.raises(NotOfTheApiError) as raised:
        storage.check_answer(called, answer)
    assert problem in str(raised.value)


def test_an_answer_lacks_nothing_unless_only_some_was_asked_for() -> None:
    dataproc, cluster = api("dataproc.v1"), CLUSTERS + "/c"
    with pytest.raises(NotOfTheApiError, match="answer: field projectId is missing"):
        dataproc.check_answer(dataproc.check_request("GET", cluster, {}), {"clusterName": "c"})
    dataproc.check_answer(dataproc.check_request("GET", cluster, {"fields": "clusterName"}), {"clusterName": "c"})
