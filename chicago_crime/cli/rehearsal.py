"""A rehearsal on Google Cloud: its steps, what each one proves, and the report.

It uses a separate dataset and folder, which are removed before and after: if a rehearsal is killed, the next one
cleans up.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version

from chicago_crime.errors import PlatformError
from chicago_crime.graph.checks.layers import COORDINATES
from chicago_crime.installation import build_bigquery, build_bucket_store, build_dataproc
from chicago_crime.intake.gate import run_gate
from chicago_crime.intake.staging import staging_folder
from chicago_crime.settings import Settings
from chicago_crime.sources.sample.source import SampleSource
from chicago_crime.storage.google.bigquery.jobs import Purpose, call_bigquery
from chicago_crime.storage.google.prices import machine_usd_per_hour
from chicago_crime.storage.object_store import rows_key
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import AREA_RATES, CRIMES, ENRICHED_CRIMES, RAW_CRIMES, REJECTED_CRIMES, REVISIONS

YEAR, ROWS = 2014, 500
FOLDER = "rehearsal/"
"""Prefix of all keys in the buckets."""


@dataclass(frozen=True)
class Step:
    """One kind of call to Google Cloud.

    Attributes:
        name: what it does.
        work: does it and returns a note for the report and the known costs in US dollars.
        advice: what a failure means for a run, and what to do about it.
        needs: the step that must pass first.
    """

    name: str
    work: Callable[[], tuple[str, float]]
    advice: str
    needs: str = ""


@dataclass(frozen=True)
class Result:
    """Outcome of a step: passed, failed or skipped, with Google's message or a note."""

    step: Step
    outcome: str
    message: str = ""
    seconds: float = 0.0
    usd: float = 0.0


class Rehearsal:
    """One rehearsal.

    Attributes:
        settings: settings of the installation, with a separate dataset and data folder.
        has_cluster: whether to try a cluster, too.
        store, staging: the buckets, below the folder of the rehearsal.
        warehouse: its dataset.
    """

    def __init__(self, settings: Settings, has_cluster: bool) -> None:
        dataset, data_dir = f"{settings.bigquery_dataset}_rehearsal", settings.data_dir / "rehearsal"
        self.settings = settings.model_copy(update={"bigquery_dataset": dataset, "data_dir": data_dir})
        self.has_cluster = has_cluster
        self.store = replace(build_bucket_store(self.settings), folder=FOLDER)
        self.staging = replace(build_bucket_store(self.settings, settings.staging_bucket), folder=FOLDER)
        self.warehouse = replace(build_bigquery(self.settings), staging=self.staging)

    def results(self) -> Iterator[Result]:
        """Run the steps, the riskiest first, and always remove everything afterwards."""
        passed = {""}
        leftovers = (
            "Data of the rehearsal is left and may cost money. Rehearse again, which starts by removing it, or run "
            f"`bq rm -r -f {self.settings.bigquery_dataset}`, and, for both buckets, "
            f"`gcloud storage rm -r gs://BUCKET/{FOLDER}`."
        )
        yield (first := _run(Step("remove leftovers of earlier rehearsals", self._remove, leftovers)))
        if first.outcome == "failed":
            return
        try:
            for step in self._steps():
                yield (result := _run(step) if step.needs in passed else Result(step, "skipped", f"needs {step.needs}"))
                if result.outcome == "passed":
                    passed.add(step.name)
        finally:
            last = _run(Step("remove everything", self._remove, leftovers))
        yield last

    def _steps(self) -> list[Step]:
        roles = "chicago-crime doctor lists missing permissions and APIs; new roles take a few minutes to apply."
        report = "If it still fails after ten minutes, it is a bug: please attach the report to an issue."
        both = f"{roles} {report}"
        put, load, merge = "store an object", "load a CSV", "replace a year by MERGE"
        no_spark = (
            "CHICAGO_CRIME_DATAPROC_MODE={} does not work. If a quota is exceeded, the message links to the page that "
            f"raises it; 8 processors, as in new projects, are enough for CHICAGO_CRIME_DATAPROC_WORKERS=0. {both}"
        )
        no_export = "Spark receives no rows, or its tables cannot be loaded through staging tables."
        no_snapshot = "Queries, reports and pages have nothing to read."
        steps = [
            Step(put, self._put, f"No year can be stored. {roles}"),
            Step(load, self._load, f"Nothing can be loaded into BigQuery. {both}", put),
            Step(merge, self._merge, f"No table can be computed. {report}", load),
            Step("export and load Parquet", self._export, f"{no_export} {both}", merge),
            Step("publish a snapshot and read it back", self._publish, f"{no_snapshot} {report}", merge),
            Step("run Spark as a batch", partial(self._spark, "serverless"), no_spark.format("serverless"), merge),
            Step("run Spark on a cluster", partial(self._spark, "cluster"), no_spark.format("cluster"), merge),
        ]
        return steps if self.has_cluster else steps[:-1]

    def _put(self) -> tuple[str, float]:
        with staging_folder(self.settings.data_dir / "staging") as folder:
            file = run_gate(SampleSource(rows=ROWS).fetch(YEAR, folder), YEAR, folder).split.file
            self._lake = self.store.put(rows_key(YEAR), file)
        _require(
            self.store.is_intact(self._lake.key, self._lake.bytes, self._lake.sha256),
            "the stored object differs from the file",
        )
        _require(self.store.swap("small.json", b"{}", None), "a new object could not be created")
        _require(
            not self.store.swap("small.json", b"[]", None), "an object was replaced despite its generation precondition"
        )
        _require(
            (self.store.read("small.json") or (b"",))[0] == b"{}", "a small object was read back with other content"
        )
        return "with preconditions on generations", 0.0

    def _load(self) -> tuple[str, float]:
        stored = self.warehouse.load_csv(RAW_CRIMES, YEAR, self.store.location(self._lake.key), self._lake.sha256)
        counted = self.warehouse.measure(RAW_CRIMES, [YEAR], {"n": "COUNT(*)"})[YEAR]["n"]
        _require(
            stored.rows == counted == ROWS,
            f"the job wrote {stored.rows} rows, the table has {counted}, expected {ROWS}",
        )
        _require(self.warehouse.stored(RAW_CRIMES)[YEAR] == stored, "the table's label differs from the one written")
        return f"{stored.rows} rows by the job and by count", _usd(stored)

    def _merge(self) -> tuple[str, float]:
        made = [self.warehouse.replace_year(table, YEAR) for _ in range(2) for table in (CRIMES, REJECTED_CRIMES)]
        rows = sum(one.rows for one in made[2:])
        _require(rows == ROWS, f"{ROWS} raw rows became {rows}")
        counted = self.warehouse.measure(CRIMES, [YEAR], {"n": "COUNT(*)"})[YEAR]["n"]
        _require(counted == made[2].rows, f"MERGE reports {made[2].rows} rows, the table has {counted}")
        return "twice, to replace rows", _usd(*made)

    def _export(self) -> tuple[str, float]:
        before, folder = self.warehouse.measure(CRIMES, [YEAR], COORDINATES), self.staging.uri("export")
        self.warehouse.export_parquet(CRIMES, [YEAR], folder)
        with self.warehouse.staged(CRIMES, YEAR, f"{folder}/*.parquet", Purpose("cannot load", CRIMES.name)) as staged:
            live = self.warehouse.tables.live(staged.table_id)
        _require(bool(live and live.expires), "a staging table lost its expiration when it was loaded")
        stored = self.warehouse.load_parquet(CRIMES, YEAR, folder)
        after = self.warehouse.measure(CRIMES, [YEAR], COORDINATES)
        _require(before == after, f"coordinates changed: {before} became {after}")
        return f"{stored.rows} rows, coordinates to the last digit", _usd(stored)

    def _publish(self) -> tuple[str, float]:
        self.warehouse.clear_year(REVISIONS, YEAR)  # as in every first load: an export of no rows may write no file
        with staging_folder(self.settings.data_dir / "staging") as folder:
            file = self.warehouse.fetch_parquet([CRIMES, REVISIONS], [YEAR], folder)[CRIMES.name, YEAR]
            added = self.store.add(f"published/data/{CRIMES.name}/{YEAR}", file)
            content = file.read_bytes()
            (folder / "back").mkdir()
            _require(self.store.get(added.key, folder / "back").read_bytes() == content, "the file came back changed")
        return f"{added.bytes} bytes, exported at one point in time", 0.0

    def _spark(self, mode: str) -> tuple[str, float]:
        """Materialize the platform's own asset in a separate Dagster run."""
        from dagster import materialize

        from chicago_crime.graph.assets.spark import enrich_crimes
        from chicago_crime.graph.progress import ignore_progress
        from chicago_crime.graph.run_state import RunState

        settings = self.settings.model_copy(update={"dataproc_mode": mode})
        began = time.monotonic()
        materialize(
            [enrich_crimes],
            resources={
                "warehouse": self.warehouse,
                "spark": build_dataproc(settings),
                "run_state": RunState(ignore_progress),
            },
            partition_key=str(YEAR),
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        stored = self.warehouse.stored(ENRICHED_CRIMES)[YEAR]
        crimes = self.warehouse.stored(CRIMES)[YEAR]
        _require(stored.rows == crimes.rows, f"{crimes.rows} crimes became {stored.rows}")
        mart = self.warehouse.replace_year(AREA_RATES, YEAR)
        usd, hours = _usd(mart), (time.monotonic() - began) / 3600
        if mode == "cluster":
            price = machine_usd_per_hour(settings.dataproc_machine_type) or 0.0
            usd += price * (settings.dataproc_workers + 1) * hours
        return f"{stored.rows} rows", usd

    def _remove(self) -> tuple[str, float]:
        jobs = self.warehouse.jobs
        delete = partial(jobs.client().delete_dataset, jobs.dataset, delete_contents=True, not_found_ok=True)
        call_bigquery(lambda: delete(**jobs.options), f"cannot delete the dataset {jobs.dataset.dataset_id}")
        for store in (self.store, self.staging):
            replace(store, folder="").delete_prefix(FOLDER)
        return "", 0.0


def _run(step: Step) -> Result:
    began = time.monotonic()
    try:
        note, usd = step.work()
        return Result(step, "passed", note, time.monotonic() - began, usd)
    except Exception as error:  # whatever it is, continue with the other steps and the report
        message = str(error) if isinstance(error, PlatformError) else f"{type(error).__name__}: {error}"
        return Result(step, "failed", message, time.monotonic() - began)


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise PlatformError(problem)


def _usd(*stored: TableYear) -> float:
    return sum(float(one.details.get("bigquery_estimated_usd", 0.0)) for one in stored)


def as_report(results: list[Result], rehearsal: Rehearsal) -> str:
    """Return the results as Markdown, without the names of project and buckets."""
    settings = rehearsal.settings
    names = {
        settings.gcs_staging_bucket: "STAGING-BUCKET",
        settings.gcs_bucket: "BUCKET",
        settings.gcp_project: "PROJECT",
    }
    lines = [
        "# Rehearsal on Google Cloud",
        "",
        f"chicago-crime {version('chicago-crime')}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {settings.gcp_region}. "
        f"Known costs: {sum(one.usd for one in results):.4f} USD, excluding the batch.",
        "",
        "| step | outcome | seconds | message | what it means and what to do |",
        "|---|---|---|---|---|",
    ]
    for one in results:
        advice = one.step.advice if one.outcome == "failed" else ""
        cells = (one.step.name, one.outcome, f"{one.seconds:.1f}", one.message, advice)
        lines.append(f"| {' | '.join(' '.join(cell.split()).replace('|', '/') for cell in cells)} |")
    text = "\n".join(lines) + "\n"
    for name, general in names.items():
        text = text.replace(name, general) if name else text
    return text
