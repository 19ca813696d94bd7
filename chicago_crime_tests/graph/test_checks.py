"""Tests of the asset checks: each passes on good years and fails on the problem that it detects."""

import re
from pathlib import Path

import duckdb
import pytest
from dagster import AssetCheckEvaluation, AssetCheckKey, AssetKey, AssetSelection, Definitions, define_asset_job
from dagster._core.storage.asset_check_execution_record import AssetCheckPartitionInfo

from chicago_crime.definitions import build_definitions
from chicago_crime.graph.checks.assets import CHECKS
from chicago_crime.graph.checks.findings import NOT_EXAMINED
from chicago_crime.graph.dagster_internals import range_tags
from chicago_crime.graph.instance import open_instance
from chicago_crime.graph.run import RunReport
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings, load_settings
from chicago_crime_tests.servers.portal_server import PortalServer
from chicago_crime_tests.support import crimes_of_months, run, run_well, write_csv

TYPING = "crime_csv,crime_object,raw_crimes,crimes,rejected_crimes"
REPLACE = "SELECT * REPLACE "


def found(reports: list[RunReport]) -> dict[str, str]:
    """Return the checks of a run that did not pass, with their descriptions."""
    [report] = reports
    return {f"{check.asset}:{check.check}": f"{check.year}: {check.description}" for check in report.checks}


def evaluate(settings: Settings, asset: str, check: str) -> dict[str, AssetCheckEvaluation]:
    """Run a single check on both stored years, and return its results by year."""
    key = AssetCheckKey(AssetKey(asset), check)
    job = define_asset_job("one_check", AssetSelection.checks(key))
    definitions = Definitions.merge(build_definitions(Installation(settings)), Definitions(jobs=[job]))
    with open_instance(settings) as instance:
        one_check = definitions.resolve_job_def("one_check")
        result = one_check.execute_in_process(instance=instance, raise_on_error=False, tags=range_tags(2014, 2015))
        known = instance.event_log_storage.get_asset_check_partition_info([key])
    evaluations = {str(evaluation.partition): evaluation for evaluation in result.get_asset_check_evaluations()}
    in_ui = {i.partition_key: i.latest_execution_status.value == "SUCCEEDED" for i in known if is_shown(i)}
    assert in_ui == {year: evaluation.passed for year, evaluation in evaluations.items()}
    return evaluations


def is_shown(known: AssetCheckPartitionInfo) -> bool:
    """Whether the UI shows a result, because it is of the latest materialization."""
    return known.latest_materialization_storage_id is not None and known.is_current


def change(settings: Settings, table: str, year: int, query: str) -> None:
    """Replace a stored year with the result of a query on its file."""
    file = settings.data_dir / "warehouse" / table / f"{year}.parquet"
    damaged = file.with_suffix(".damaged")
    duckdb.sql(f"FROM '{file}' {query}").write_parquet(str(damaged))
    damaged.replace(file)


def test_results_are_shown_in_the_ui_even_of_unchanged_years(tmp_path: Path) -> None:
    """An unchanged year is materialized again, but its tables are not rebuilt."""
    keys = {AssetCheckKey(AssetKey(check.asset), check.name) for check in CHECKS}
    with PortalServer(crimes_of_months(2014)).answering() as portal:
        settings = load_settings(source="portal", portal_url=portal.url, data_dir=tmp_path / "data")
        for is_unchanged in (False, True):
            [report] = run_well(settings, 2014)
            assert ("unchanged" in report.metadata["crimes", 2014]) is is_unchanged
            with open_instance(settings) as instance:
                known = instance.event_log_storage.get_asset_check_partition_info([*keys])
                messages = [entry.user_message for entry in instance.all_logs(report.run_id)]
            assert {info.check_key for info in known if is_shown(info)} == keys
            assert not [message for message in messages if "did not yield" in message]


def test_a_missing_month_blocks_publication(settings: Settings) -> None:
    write_csv(settings.folder / "2014.csv", crimes_of_months(2014, per_month=280, months=[1, 2, 3, 5, 7, 8]))
    reports = run(settings, 2014)
    assert not reports[0].success
    assert "no rows from 2014-03-29 to 2014-04-30 (and 1 more gap)" in found(reports)["crime_csv:has_no_gap"]
    assert not Installation(settings).published_years()


def test_an_early_end_is_valid_and_a_late_start_is_a_warning(settings: Settings) -> None:
    write_csv(settings.folder / "2014.csv", crimes_of_months(2014, per_month=280, months=[1, 2, 3]))
    write_csv(settings.folder / "2015.csv", crimes_of_months(2015, per_month=280, months=[3, 4]))
    reports = run_well(settings, 2014, 2015, assets="crime_csv")
    assert found(reports) == {
        "crime_csv:has_no_gap": "2015: no rows from 2015-01-01 to 2015-02-28, although later days have rows: the file "
        "is incomplete or filtered"
    }


def test_rejects_quarantined_lines_and_values_out_of_range_are_warnings(settings: Settings) -> None:
    rows = crimes_of_months(2014, per_month=100)
    rows[0] |= {"latitude": "51.5", "longitude": "-0.1"}
    rows[1] |= {"ward": "99", "iucr": "WEST", "district": "061", "primary_type": "HOMICIDE"}
    for row in rows[2:15]:
        row["date"] = "12/31/2013 11:00:00 PM"
    file = write_csv(settings.folder / "2014.csv", rows)
    sound = file.read_text()
    file.write_text(sound + "no row\n")
    reports = run_well(settings, 2014, assets=TYPING)
    problems = found(reports)
    out_of_range = problems.pop("crimes:values_are_possible")
    assert "latitude is not in the range 41.63 to 42.04 in 1 rows" in out_of_range
    assert "ward is not in the range 1 to 50 in 1 rows" in out_of_range and "district" not in out_of_range
    assert "primary_type and fbi_code disagree about homicide in 1 rows" in out_of_range
    assert "iucr is not three digits and a digit or letter, such as 0820 or 031A in 1 rows" in out_of_range
    quarantined = problems.pop("crime_object:few_lines_quarantined")
    assert quarantined.startswith("2014: 1 of 1,201 lines cannot be read as rows and are in quarantine/2014.csv")
    assert "line 1,202 of 2014.csv (1 field where the header has 22): 'no row'" in quarantined
    rejected = problems.pop("rejected_crimes:few_rows_rejected")
    assert (rejected, problems) == ("2014: 13 of 1,200 rows are rejected, besides superseded ones", {})
    metadata = reports[0].metadata
    assert metadata["rejected_crimes", 2014]["rejected_rows_by_reason"] == {"date_outside_year": 13}
    assert metadata["crime_object", 2014]["quarantined_lines"] == 1
    file.write_text(sound + "no row\n" * 13)
    [refused] = run(settings, 2014)
    assert "crime_object:few_lines_quarantined: 13 of 1,213 lines cannot be read as rows" in refused.left_out[2014]
    accepted = found(run_well(settings, 2014, accept="an old export"))["crime_object:few_lines_quarantined"]
    assert accepted.startswith("2014: Accepted (an old export): 13 of 1,213 lines cannot be read as rows")
    again = found(run_well(settings, 2014))["crime_object:few_lines_quarantined"]
    assert again == accepted, "the same file stays accepted"


def test_a_year_with_other_columns_is_not_compared(loaded_copy: Settings) -> None:
    change(loaded_copy, "crimes", 2014, "SELECT * EXCLUDE (ward)")
    found = evaluate(loaded_copy, "crimes", "is_like_the_year_before")["2015"]
    assert (found.passed, found.metadata["found"].value) == (True, NOT_EXAMINED)


def test_emptied_columns_and_codes_or_types_that_appear_or_vanish_are_warnings(settings: Settings) -> None:
    """The incomplete year 2015 is compared in proportion."""
    codes = {2014: {"0820": 9, "0610": 3, "0860": 8}, 2015: {"0820": 3, "0610": 3, "0760": 4}}
    for year, months in ((2014, 12), (2015, 6)):
        rows = crimes_of_months(year, per_month=sum(codes[year].values()), months=range(1, months + 1))
        names = [code for code, n in codes[year].items() for _ in range(n)] * months
        of_year = {"ward": "", "primary_type": "BATTERY"} if year == 2015 else {}
        rows = [row | of_year | {"iucr": code} for row, code in zip(rows, names, strict=True)]
        write_csv(settings.folder / f"{year}.csv", rows)
    problems = found(run_well(settings, 2014, 2015))
    unlike = problems["crimes:is_like_the_year_before"]
    assert "share of NULL ward changed by +100.0 percentage points" in unlike
    assert "share of type THEFT changed by -100.0 percentage points" in unlike
    assert problems["code_coverage:codes_are_stable"] == (
        "2015: codes: 0760 appears (0 crimes in 2014, 24 in 2015), 0860 vanishes (96 crimes in 2014, 0 in 2015)"
    )
    first, _ = evaluate(settings, "code_coverage", "codes_are_stable").values()
    assert (first.passed, first.metadata["found"].value) == (True, NOT_EXAMINED)


@pytest.mark.parametrize(
    ("table", "query", "check", "problem"),
    [
        ("raw_crimes", "SELECT * LIMIT 35", "nothing_lost", "source lines is 36, but .* is 35"),
        ("crimes", "SELECT * LIMIT 35", "nothing_lost", "raw_crimes is 36, but .* is 35"),
        ("enriched_crimes", "SELECT * LIMIT 35", "nothing_lost", "crimes is 36, but .* is 35"),
        ("enriched_crimes", REPLACE + "(latitude::FLOAT AS latitude)", "coordinates_are_kept", "latitudes differ"),
        ("crimes", REPLACE + "(1 AS id)", "holds_to_schema", "repeated id in 35 rows"),
        ("crimes", REPLACE + "(NULL::BIGINT AS id)", "holds_to_schema", "id is NULL in 36 rows"),
        ("crimes", REPLACE + "(2013 AS year)", "holds_to_schema", "another year in 36 rows"),
        ("crimes", REPLACE + "(date - INTERVAL 1 YEAR AS date)", "holds_to_schema", "date in another year in 36 rows"),
        *(
            (table, REPLACE + "(crimes + 1 AS crimes)", "adds_up", f"{table} is .*, but")
            for table in ("crime_type_count", "crimes_hourly", "hot_spots", "area_rates")
        ),
    ],
)
def test_damage_to_a_table_is_detected(loaded_copy: Settings, table: str, query: str, check: str, problem: str) -> None:
    change(loaded_copy, table, 2014, query)
    evaluation, of_2015 = evaluate(loaded_copy, table, check).values()
    assert of_2015.passed and not evaluation.passed, "the failure is reported for its year only"
    assert evaluation.severity.value == "ERROR"
    assert evaluation.description
    assert re.search(problem, evaluation.description), evaluation.description
    found = {name: value.value for name, value in evaluation.metadata.items()}
    assert found.pop("year") == "2014"
    is_plotted = all(isinstance(value, int) for value in found.values())
    assert found and (is_plotted or check == "coordinates_are_kept"), "the UI plots numbers"
