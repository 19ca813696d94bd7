"""Tests of the jobs and schedules."""

import re
import shlex
from datetime import datetime
from pathlib import Path
from typing import NoReturn
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.definitions.schedule_definition import ScheduleExecutionData

from chicago_crime.definitions import build_definitions
from chicago_crime.errors import PlatformError
from chicago_crime.graph.dagster_internals import range_tags, years_in_tags
from chicago_crime.graph.instance import open_instance
from chicago_crime.graph.jobs import fetch_boundaries
from chicago_crime.graph.run import run_boundaries
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings, load_settings
from chicago_crime.sources.base import no_progress
from chicago_crime.sources.portal import PortalSource
from chicago_crime_tests.servers.portal_server import PortalServer
from chicago_crime_tests.support import command, crimes_of_months, refuse, run, write_csv


def test_a_run_that_fails_before_its_first_step_says_why(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Installation) -> NoReturn:
        raise PlatformError("the warehouse is locked")

    monkeypatch.setattr(Installation, "warehouse", property(fail))
    [report] = run(settings, 2014)
    assert (report.success, report.reasons) == (False, ["the warehouse is locked"])


def tick(settings: Settings, at: datetime) -> ScheduleExecutionData:
    context = dg.build_schedule_context(
        dg.DagsterInstance.ephemeral(),
        scheduled_execution_time=at.replace(tzinfo=ZoneInfo("America/Chicago")),
        resources={name: Installation(settings).resources()[name] for name in ("source", "source_files")},
    )
    [schedule] = build_definitions(Installation(settings)).schedules or []
    return schedule.evaluate_tick(context)


def test_missing_boundaries_fail_their_own_run_but_only_warn_beside_years(tmp_path: Path) -> None:
    with PortalServer([]).answering() as portal:  # without boundaries
        settings = load_settings(data_dir=tmp_path, portal_url=portal.url)
        installation = Installation(settings)
        definitions = build_definitions(installation)
        with open_instance(settings) as instance:
            for tags in (range_tags(2014, 2015), {}):
                job = definitions.resolve_job_def(fetch_boundaries.name)
                made = job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)
                [found] = made.get_asset_check_evaluations()
                assert (made.success, found.passed, found.severity) == (bool(tags), False, dg.AssetCheckSeverity.WARN)
                assert made.asset_materializations_for_node("boundaries") == []
            with pytest.raises(PlatformError, match=re.escape(found.description or "no reason")):
                run_boundaries(installation, definitions, instance)


def test_loaded_years_of_the_portal_and_the_new_year_are_requested(tmp_path: Path) -> None:
    newest = PortalSource("http://nowhere").years()[-1]
    rows = [row for year in (2014, 2015, newest - 1) for row in crimes_of_months(year)]
    with PortalServer(rows).answering() as portal:
        settings = load_settings(source="portal", portal_url=portal.url, data_dir=tmp_path)
        at = datetime(newest, 3, 8, 6)
        assert "no year has been loaded" in (tick(settings, at).skip_message or "")
        installation = Installation(settings)
        for year in (2014, 2015, newest - 1):
            installation.source_files.fetch(installation.source, year, no_progress, refuse)
        requests = tick(settings, at).run_requests or []
        assert [years_in_tags(one.tags) for one in requests] == [[2014, 2015], [newest - 1, newest]]


def test_a_missing_upstream_year_names_a_command_that_loads_it(settings: Settings) -> None:
    """In the UI, where nobody completes commands, as in the terminal."""
    write_csv(settings.folder / "2014.csv", crimes_of_months(2014))
    [report] = run(settings, 2014, assets="crimes_monthly")
    [arguments] = re.findall(r"`chicago-crime (.*?)`", report.left_out[2014])
    assert command(*shlex.split(arguments)).exit_code == 0
    assert [*Installation(settings).published_years()] == [2014]
    assert settings.complete(arguments := f"`chicago-crime {arguments}`") == arguments, "it is complete"


def job_of_environment() -> dg.JobDefinition:
    return build_definitions(Installation(load_settings())).resolve_job_def("load_and_publish")


def test_a_retry_leaves_out_the_same_years(loaded_copy: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in loaded_copy.as_environment().items():
        monkeypatch.setenv(name, value)
    write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014)[:20])
    write_csv(loaded_copy.folder / "2015.csv", crimes_of_months(2015, arrest="true"))
    [report] = run(loaded_copy, 2014, 2015)
    assert (list(report.left_out), [*report.published.values()]) == ([2014], [[2015]])
    with open_instance(loaded_copy) as instance:
        for asset in ("crimes", "published"):
            of_2015 = dg.AssetRecordsFilter(dg.AssetKey(asset), asset_partitions=["2015"])
            [latest] = instance.fetch_materializations(of_2015, 1).records
            made = latest.asset_materialization
            assert latest.run_id == report.run_id and made and made.tags["dagster/data_version"]
        job, tags = dg.reconstructable(job_of_environment), {**instance.get_run_by_id(report.run_id).tags}
        from_failure = dg.ReexecutionOptions.from_failure(report.run_id, instance)
        again = dg.execute_job(job, instance, tags=tags, reexecution_options=from_failure)
        failed = [event.step_key for event in again.all_events if event.is_step_failure]
        assert (again.success, failed) == (False, ["published"])
        reason = again.failure_data_for_node("published").user_failure_data.metadata["failed_years"].value["2014"]
        assert "2014.csv: 16 of the 36 published crimes" in reason
        assert reason.endswith("did not read the file again: materialize the year, or re-execute all steps")
        write_csv(loaded_copy.folder / "2014.csv", crimes_of_months(2014))
        of_all = dg.ReexecutionOptions(report.run_id)
        whole = dg.execute_job(job, instance, tags=tags, reexecution_options=of_all)
        after = instance.get_run_by_id(whole.run_id)
        assert whole.success and after and after.tags["chicago_crime/left_out"] == "{}", "the inherited reason is gone"
