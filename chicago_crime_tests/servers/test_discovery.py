"""Tests of `discovery.py`: a request or response that is not of the API is named, everything else passes."""

from typing import Any

import pytest

from chicago_crime_tests.servers.discovery import NotOfTheApiError, api

JOBS = "/bigquery/v2/projects/p/jobs"
CLUSTERS = "/v1/projects/p/regions/r/clusters"
OBJECTS = "/upload/storage/v1/b/bucket/o"


def query_job(**query: object) -> dict[str, Any]:
    return {"configuration": {"query": query}}


def test_requests_of_the_api_pass_and_the_path_is_decoded() -> None:
    called = api("storage.v1").check_request("GET", "/storage/v1/b/bucket/o/crimes%2F2014.csv", {"alt": "media"})
    assert (called.method, called.is_download) == ("storage.objects.get", True)
    assert called.parameters == {"bucket": "bucket", "object": "crimes/2014.csv"}
    upload = {"uploadType": "resumable", "ifGenerationMatch": "0"}
    assert api("storage.v1").check_request("POST", OBJECTS, upload, {"name": "a"}).is_upload
    api("bigquery.v2").check_request("POST", JOBS, {}, query_job(query="SELECT 1", maximumBytesBilled=9))
    cluster = {"projectId": "p", "clusterName": "c", "status": {"state": 2}}
    api("dataproc.v1").check_request("POST", CLUSTERS, {"$alt": "json;enum-encoding=int"}, cluster)


@pytest.mark.parametrize(
    ("name", "request_", "problem"),
    [
        ("bigquery.v2", ("GET", "/bigquery/v2/x", {}), "no method at GET /bigquery/v2/x"),
        ("bigquery.v2", ("GET", JOBS + "/j", {"locatoin": "US"}), "bigquery.jobs.get: unknown parameter locatoin"),
        ("bigquery.v2", ("GET", JOBS, {"maxResults": "many"}), "parameter maxResults: 'many' is not uint32"),
        ("bigquery.v2", ("POST", JOBS, {}, query_job(qurey="SELECT 1")), "configuration.query: unknown field qurey"),
        ("bigquery.v2", ("POST", JOBS, {}, query_job(query=1)), "configuration.query.query: 1 is not string"),
        ("storage.v1", ("DELETE", "/storage/v1/b/x", {}, {"name": "x"}), "it takes no body"),
        ("dataproc.v1", ("POST", CLUSTERS, {}, {"clusterName": "c"}), "body: field projectId is missing"),
    ],
)  # fmt: skip
def test_a_problem_of_a_request_is_named(name: str, request_: tuple, problem: str) -> None:
    with pytest.raises(NotOfTheApiError) as raised:
        api(name).check_request(*request_)
    assert problem in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"size": 5}, "answer.size: 5 is not string uint64"),
        ({"metadata": {"a": 1}}, "answer.metadata.a: 1 is not string"),
        ({"colour": "red"}, "answer: unknown field colour"),
    ],
)
def test_a_problem_of_a_response_is_named(answer: dict, problem: str) -> None:
    called = api("storage.v1").check_request("GET", "/storage/v1/b/x/o/y", {})
    api("storage.v1").check_answer(called, {"size": "5", "updated": "2026-01-02T03:04:05.678Z"})
    with pytest.raises(NotOfTheApiError) as raised:
        api("storage.v1").check_answer(called, answer)
    assert problem in str(raised.value)
