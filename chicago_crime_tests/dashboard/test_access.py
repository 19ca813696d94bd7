"""Tests of the middleware: host names, reverse proxy, rate limits, and read-only access."""

import re
from collections.abc import Mapping
from html import unescape

import pytest
from starlette.routing import Route
from starlette.testclient import TestClient

from chicago_crime.dashboard.app import PAGES, Dashboard
from chicago_crime.installation import Installation
from chicago_crime.serve.programs import add_programs
from chicago_crime.settings import Settings, SettingsError

PROXY, READER = "10.0.0.9", "203.0.113.7"


def served(settings: Settings, peer: str = "127.0.0.1", **changed: object) -> TestClient:
    """Build a client of the full server, at a client address and with changed settings."""
    dashboard = Dashboard(Installation(settings.model_copy(update=changed)))
    add_programs(dashboard)
    return TestClient(dashboard.application(), base_url="http://localhost", client=(peer, 50000))


def post_mcp(client: TestClient, headers: Mapping[str, str] = {}) -> int:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    with client:
        return client.post("/mcp", json=body, headers={"Accept": "application/json", **headers}).status_code


def test_only_host_names_in_the_settings_are_served(sample: Settings) -> None:
    names = {"dashboard_hosts": "crime.example.org crime.internal"}
    client = served(sample, **names)
    for host, status in {"crime.example.org": 200, "crime.internal:8080": 200, "evil.example": 400}.items():
        assert client.get("/data", headers={"Host": host}).status_code == status
    assert post_mcp(client, {"Host": "evil.example"}) == 400
    refused = served(sample).get("/data", headers={"Host": "crime.example.org"})
    assert refused.status_code == 400
    assert "'crime.example.org'" in refused.text and "CHICAGO_CRIME_DASHBOARD_HOSTS" in refused.text
    assert post_mcp(served(sample), {"Origin": "https://evil.example"}) == 403
    own = {"Host": "crime.example.org", "Origin": "https://crime.example.org"}
    assert post_mcp(served(sample, **names), own) == 200


def test_links_include_the_path_of_the_proxy_whether_it_strips_it_or_not(sample: Settings) -> None:
    client, seen = served(sample, dashboard_path="/team/crime"), {"/team/crime/"}
    for page in (*PAGES, "report", "embed/where/map", "nowhere"):
        text = client.get(f"/team/crime/{page}?year=2016").text
        links = {unescape(link) for link in re.findall(r'\b(?:href|src|action)="(/[^"]*)"', text)}
        assert links or page == "report"
        seen |= {link.partition("?")[0] for link in links if not re.search(r"\.(json|parquet|xlsx)\b", link)}
    assert len(seen) > 30
    for number, link in enumerate(sorted(seen)):
        assert link.startswith("/team/crime/")
        passed_on = link if number % 2 else link.removeprefix("/team/crime")
        assert client.get(passed_on).status_code == 200, passed_on
    assert client.get("/openapi.json").json()["servers"] == [{"url": "/team/crime"}]
    for path in ("/overview", "/download/x", "/openapi.json", "/mcp"):
        with pytest.raises(SettingsError, match=f"CHICAGO_CRIME_DASHBOARD_PATH={path}: the dashboard itself"):
            served(sample, dashboard_path=path)


def test_costly_requests_are_rate_limited_per_client(sample: Settings) -> None:
    client = served(sample, PROXY, dashboard_proxies=PROXY, dashboard_requests_per_minute=3)
    reader, other = {"X-Forwarded-For": READER}, {"X-Forwarded-For": f"{READER}, 203.0.113.8"}
    costly = ("/api/v1/data", "/incidents?year=2016", "/download/data/checks.csv", "/report")
    statuses = [client.get(path, headers=reader).status_code for path in costly]
    assert statuses == [200, 200, 200, 429]
    refused = client.get("/api/v1/data", headers=reader)
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    requests = "3 downloads, reports, incident pages and API responses per minute"
    assert f"203.0.113.7 may request at most {requests}: try again in " in refused.json()["problem"]
    assert client.get("/data", headers=reader).status_code == 200
    assert client.get("/api/v1/data", headers=other).status_code == 200
    local = served(sample, dashboard_requests_per_minute=1)
    assert {local.get("/api/v1/data").status_code for _ in range(3)} == {200}


@pytest.mark.parametrize("proxy", [PROXY, "127.0.0.1"])
@pytest.mark.parametrize("address", ["2001:db8:1:2::{}", "garbage{}", "::ffff:203.0.113.7"])
def test_a_client_cannot_evade_its_limit(sample: Settings, proxy: str, address: str) -> None:
    client = served(sample, proxy, dashboard_proxies=proxy, dashboard_requests_per_minute=2)
    headers = [{"X-Forwarded-For": address.format(number)} for number in range(3)]
    assert [client.get("/api/v1/data", headers=one).status_code for one in headers] == [200, 200, 429]
    for other in ("2001:db8:1:3::1", "::ffff:203.0.113.8", READER if "garbage" in address else "203.0.113.9"):
        assert client.get("/api/v1/data", headers={"X-Forwarded-For": other}).status_code == 200


def test_routes_are_read_only(sample: Settings) -> None:
    client = served(sample)
    routes = client.app.routes  # type: ignore[attr-defined]
    paths = {re.sub(r"{\w+}", "data", route.path) for route in routes if isinstance(route, Route)}
    assert len(paths) > 8
    for path in (paths | {"/static/style.css"}) - {"/mcp"}:
        for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            refused = client.request(method, path)
            allowed = {*refused.headers.get("Allow", "").split(", ")}
            assert (refused.status_code, allowed) == (405, {"GET", "HEAD"}), (method, path)
    with client:
        for method in ("PUT", "PATCH", "DELETE"):
            assert client.request(method, "/mcp").status_code in (405, 400)
        assert client.post("/mcp", json={"much": "x" * (1 << 17)}).status_code == 413
