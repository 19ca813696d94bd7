"""Alerts and reports, sent to a webhook on loopback after real runs."""

import base64
import json
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dagster import AssetKey, FreshnessPolicy, build_sensor_context
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteInstigatorOrigin, RemoteRepositoryOrigin
from dagster._core.scheduler import instigation
from pydantic import SecretStr

from chicago_crime.definitions import build_definitions
from chicago_crime.graph.alerts import AlertState, new_alerts
from chicago_crime.graph.instance import open_instance
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import CATALOG
from chicago_crime.serve.scheduled import Sent, report
from chicago_crime.settings import Settings, SettingsError, load_settings
from chicago_crime_tests.servers.faults import Fault, FaultyHandler, FaultyServer
from chicago_crime_tests.support import command, crimes_of_months, folder_settings, run, run_well, write_csv


class _Accepts(FaultyHandler):
    def answer(self) -> None:
        self.reply(200, b"")


class Webhook(FaultyServer):
    """A server that records the messages posted to it."""

    handler = _Accepts

    @property
    def address(self) -> str:
        return self.url.replace("http", "json")

    @property
    def posted(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.requests if request.status == 200]


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook().answering() as server:
        yield server


def test_new_problems_are_sent_to_each_address_once_also_later(loaded_copy: Settings, webhook: Webhook) -> None:
    addresses = f"{webhook.address}/one {webhook.address}/two"
    settings = loaded_copy.model_copy(update={"alerts": SecretStr(addresses)})
    definitions = build_definitions(Installation(settings))
    [sensor] = [one for one in definitions.sensors or [] if one.name == "send_alerts"]

    with open_instance(settings) as instance:

        def tick(cursor: str | None) -> str:
            result = sensor.evaluate_tick(build_sensor_context(instance, cursor, definitions=definitions))
            reasons.append(result.skip_message)
            return result.cursor

        reasons: list[str | None] = []
        cursor = tick(tick(None))
        assert webhook.posted == [], "earlier runs are not reported, and nothing is wrong"
        write_csv(settings.folder / "2014.csv", crimes_of_months(2014)[:20])
        write_csv(settings.folder / "2015.csv", crimes_of_months(2015, block=""))
        run(settings, 2014, 2015)
        webhook.will(Fault(503), on="/two", times=2)
        cursor = tick(cursor)
        [post] = webhook.posted
        assert "of 2014-2015 failed: 2014: crime_csv: " in post["message"]
        assert "2014.csv: 16 of the 36 published crimes" in post["message"]
        assert "2015: " in post["message"], "the column that was emptied"
        assert reasons[-1] == "the message could not be sent to address 2 in CHICAGO_CRIME_ALERTS"
        for _ in range(3):
            cursor = tick(cursor)
        assert webhook.posted == [post, post]
        assert [request.path for request in webhook.requests if request.status == 200] == ["/one", "/two"]


@pytest.mark.slow
def test_reports_are_sent_on_their_day_and_when_something_is_unusual(tmp_path: Path, webhook: Webhook) -> None:
    for year, per_month in ((2012, 28), (2013, 30), (2014, 29), (2015, 28)):
        write_csv(tmp_path / "in" / f"{year}.csv", crimes_of_months(year, per_month))
    given = {"alerts": SecretStr(webhook.address), "report_areas": "loop, 41", "report_day": "friday"}
    settings = folder_settings(tmp_path / "data", tmp_path / "in").model_copy(update=given)
    run_well(settings, 2012, 2013, 2014, 2015)
    installation = Installation(settings)

    def tick(sent: Sent, *day: int) -> Sent:
        return report(installation, settings.alerts.get_secret_value(), sent, datetime(*day, 9, tzinfo=UTC))[0]

    sent = tick(Sent(), 2026, 11, 26)
    assert webhook.posted == [], "it is Thursday, and nothing is unusual"
    sent = tick(tick(sent, 2026, 11, 27), 2026, 11, 27)
    [post] = webhook.posted
    assert post["title"] == "Unusual crime counts in Loop, Hyde Park: 0"
    assert f"Chicago crime snapshot {sent.snapshot}" in post["message"]
    assert [one["filename"] for one in post["attachments"]] == ["Loop 2015.html"]
    assert "No crimes were reported in Hyde Park in 2015." in post["message"]
    assert "Reported crime in Loop, 2015" in base64.b64decode(post["attachments"][0]["base64"]).decode()

    write_csv(tmp_path / "in" / "2015.csv", crimes_of_months(2015, 90))
    run_well(settings, 2015)
    sent = tick(tick(sent, 2026, 11, 28), 2026, 11, 29)
    assert len(webhook.posted) == 2, "it is reported once"
    assert "Year to date: Theft in Loop: 1,080, expected " in webhook.posted[1]["message"]
    tick(sent, 2026, 12, 4)
    assert len(webhook.posted) == 3, "the next Friday"


def test_the_report_sensor_names_the_setting_of_an_unknown_area(loaded_copy: Settings) -> None:
    given = {"alerts": SecretStr("json://127.0.0.1:9"), "report_areas": "Lop"}
    definitions = build_definitions(Installation(loaded_copy.model_copy(update=given)))
    [sensor] = [one for one in definitions.sensors or [] if one.name == "send_report"]
    with (
        open_instance(loaded_copy) as instance,
        pytest.raises(SettingsError, match=r"_REPORT_AREAS: there is no community area 'Lop'"),
    ):
        sensor.evaluate_tick(build_sensor_context(instance, None, definitions=definitions))
    with pytest.raises(SettingsError, match="REPORT_AREAS needs CHICAGO_CRIME_ALERTS"):
        load_settings(report_areas="Loop")


def test_failed_checks_of_a_run_that_succeeds_are_reported(settings: Settings) -> None:
    write_csv(settings.folder / "2014.csv", crimes_of_months(2014, per_month=280, months=[1, 2, 4]))
    began = datetime.now(UTC)
    run(settings, 2014, assets="crime_csv")
    with open_instance(settings) as instance:
        [line], _ = new_alerts(Installation(settings), instance, AlertState(began.timestamp()), datetime.now(UTC))
    assert line.startswith("2014: crime_csv:has_no_gap: no rows from 2014-03-01 to 2014-03-31")


def test_a_failure_that_ticks_repeat_is_reported_once_after_the_first(settings: Settings) -> None:
    """Also after a tick that begins before the period in which it ends."""
    repository = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("here"), "repository")
    origin, schedule = RemoteInstigatorOrigin(repository, "refresh"), InstigatorType.SCHEDULE
    data = instigation.ScheduleInstigatorData("0 6 * * *")
    timer = instigation.InstigatorState(origin, schedule, instigation.InstigatorStatus.RUNNING, data)
    found, state = [], AlertState(1e6)
    with open_instance(settings) as instance:
        instance.add_instigator_state(timer)
        for began, ended in ((50, 90), (130, 140), (150, 160), (250, 260)):
            known = (timer.instigator_origin_id, "refresh", schedule, instigation.TickStatus.SKIPPED, 1e6 + began)
            more = {"selector_id": timer.selector_id, "end_timestamp": 1e6 + ended}
            instance.create_tick(instigation.TickData(*known, skip_reason="no answer", **more))
        for minute in range(1, 6):
            now = datetime.fromtimestamp(1e6 + 60 * minute, UTC)
            lines, state = new_alerts(Installation(settings), instance, state, now)
            state = AlertState(**json.loads(json.dumps(asdict(state))))
            found.append(lines)
    assert found == [[], ["refresh: no answer"], [], [], ["refresh: no answer"]], "and again when it returns"


def test_stale_data_is_reported_once(loaded_copy: Settings) -> None:
    installation = Installation(loaded_copy.model_copy(update={"source": "portal"}))
    published = build_definitions(installation).resolve_asset_graph().get(AssetKey("published"))
    assert published.freshness_policy_or_from_metadata == FreshnessPolicy.time_window(timedelta(days=8))
    with open_instance(loaded_copy) as instance:
        in_a_week, later = (datetime.now(UTC) + timedelta(days=days) for days in (7, 9))
        state = AlertState(in_a_week.timestamp())
        assert new_alerts(installation, instance, state, later)[0] == [], "the years are over"
        catalog = json.loads((file := loaded_copy.data_dir / "objects" / CATALOG).read_text())
        catalog["years"]["2015"]["source"]["details"]["partial"] = True
        file.write_text(json.dumps(catalog))
        assert new_alerts(installation, instance, state, in_a_week)[0] == []
        [line], state = new_alerts(installation, instance, state, later)
        assert line.startswith("Nothing has been published since ") and line.endswith("should be loaded every 8 days")
        assert new_alerts(installation, instance, state, later)[0] == []


def test_the_doctor_sends_a_test_and_hides_addresses(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "set CHICAGO_CRIME_ALERTS" in command("doctor", "--notify").output
    monkeypatch.setenv("CHICAGO_CRIME_ALERTS", webhook.address)
    assert command("doctor", "--notify").output == "The test message was sent.\n"
    assert [post["title"] for post in webhook.posted] == ["Chicago crime data: test alert"]
    monkeypatch.setenv("CHICAGO_CRIME_ALERTS", f"{webhook.address} nonsense:secret")
    refused = command("doctor", "--notify")
    assert refused.exit_code == 2 and len(webhook.posted) == 1
    assert "CHICAGO_CRIME_ALERTS: address 2" in refused.output and "secret" not in refused.output
