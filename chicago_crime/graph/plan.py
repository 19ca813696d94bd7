"""`chicago-crime run --dry-run`: what a run would read, replace and need, without beginning it.

Here belongs what is so wherever the platform runs. What Google Cloud would do and bill is in `plan_gcp.py`, how it all
looks in `screen_plan.py`. Nothing here writes or begins anything.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dagster import Definitions

from chicago_crime.errors import PlatformError
from chicago_crime.graph.plan_types import CloudPlan, Plan, YearPlan
from chicago_crime.graph.run import assets_in
from chicago_crime.installation import Installation
from chicago_crime.intake.source_files import Manifest
from chicago_crime.settings import PREFIX
from chicago_crime.sources.base import Expected
from chicago_crime.storage.warehouse import TableYear
from chicago_crime.tables import CRIMES, RAW_CRIMES, TABLES
from chicago_crime.tables.years import contiguous_ranges, format_years

_DISK_PER_BYTE = {"local": 2.0, "gcp": 1.2}
"""Disk that a run takes for each byte of CSV: the file, its object and tables; in the cloud, the file alone."""


def make_plan(
    installation: Installation, definitions: Definitions, years: Sequence[int], assets: str | None = None
) -> Plan:
    """Find out what a run would do.

    Args:
        installation: what would run.
        definitions: its graph.
        years: which years.
        assets: as for a run.

    Raises:
        SelectionError: `assets` selects nothing.
        PlatformError: the warehouse cannot be asked.
    """
    chosen = assets_in(definitions, assets)
    settings = installation.settings
    manifests = {year: installation.source_files.manifest(year) for year in years}
    warnings: list[str] = []
    if "crime_csv" in chosen:
        expected = _expected(installation.source, years, warnings)
    else:
        expected = {year: _as_expected(manifest) for year, manifest in manifests.items() if manifest}
    upstream = {above.name for name in chosen if name in TABLES for above in TABLES[name].upstream}
    wanted = [name for name in TABLES if name in {*chosen, *upstream, RAW_CRIMES.name, CRIMES.name}]
    stored: dict[str, dict[int, TableYear]] = {name: installation.warehouse.stored(TABLES[name]) for name in wanted}
    plans = [_year(year, expected.get(year), stored, chosen) for year in years]
    needed = int(sum(plan.likely_bytes for plan in plans) * _DISK_PER_BYTE[settings.deployment])
    plan = Plan(
        source=settings.source,
        runs=contiguous_ranges(list(years)),
        assets=chosen,
        years=plans,
        disk_needed=needed if "crime_csv" in chosen else 0,
        disk_free=shutil.disk_usage(_existing(settings.data_dir)).free,
        warnings=warnings,
        cloud=_cloud(installation, chosen, plans, stored),
    )
    warnings += _about_space(plan)
    warnings += _about_cap(plan.cloud) if plan.cloud else []
    if "crime_csv" in chosen:
        warnings += _about_rows(plan, manifests, stored[RAW_CRIMES.name], installation.limits.shrink)
    else:
        warnings += _about_missing(plan, stored)
    return plan


def _expected(source: Any, years: Sequence[int], warnings: list[str]) -> dict[int, Expected]:
    try:
        found: dict[int, Expected] = source.expect(years)
    except PlatformError as error:
        warnings.append(f"the source cannot be asked, and a run would fail: {error}")
        return {}
    if missing := [year for year in years if year not in found]:
        warnings.append(f"the source {source.name} has nothing for {format_years(missing)}: these years would fail")
    return found


def _as_expected(manifest: Manifest) -> Expected:
    return Expected(f"{manifest.file}, fetched before", manifest.rows, manifest.bytes)


def _year(year: int, expected: Expected | None, stored: dict[str, dict[int, TableYear]], chosen: list[str]) -> YearPlan:
    loaded = {name: held[year].rows for name, held in stored.items() if name in chosen and year in held}
    if expected is None:
        return YearPlan(year, "", None, None, loaded)
    return YearPlan(year, expected.what, expected.rows, expected.bytes, loaded)


def _cloud(
    installation: Installation,
    chosen: list[str],
    years: list[YearPlan],
    stored: dict[str, dict[int, TableYear]],
) -> CloudPlan | None:
    if not installation.is_on_google:
        return None
    return None


def _existing(folder: Path) -> Path:
    return next(place for place in (folder, *folder.parents) if place.exists())


def _about_space(plan: Plan) -> list[str]:
    if plan.disk_needed <= plan.disk_free:
        return []
    needed, free = plan.disk_needed / 1e9, plan.disk_free / 1e9
    return [
        f"the run takes about {needed:,.1f} GB of disk, and {free:,.1f} GB are free: free some, or load fewer years"
    ]


def _about_cap(cloud: CloudPlan) -> list[str]:
    return [
        f"{reading.table} ({reading.what}) would read {reading.read:,} bytes, and {cloud.cap:,} are allowed: BigQuery "
        f"would refuse it. Raise {PREFIX}BIGQUERY_MAX_GB_BILLED, or run fewer years at once"
        for reading in cloud.above_cap
    ]


def _about_rows(
    plan: Plan, manifests: dict[int, Manifest | None], loaded: dict[int, TableYear], shrink: float
) -> list[str]:
    found = []
    real = [year for year, manifest in manifests.items() if manifest and not manifest.synthetic]
    if plan.source == "sample" and real:
        found.append(f"{format_years(real)} would be replaced by SYNTHETIC rows, and are real now")
    for year in plan.years:
        manifest, held = manifests[year.year], loaded.get(year.year)
        if held and year.rows is not None and year.rows < held.rows * (1 - shrink):
            found.append(
                f"{year.year} has {year.rows:,} rows at the source, {held.rows:,} are loaded: the run would stop "
                "there, unless with --allow-shrink"
            )
        elif held and year.rows is None and manifest and year.bytes and year.bytes < manifest.bytes * (1 - shrink):
            found.append(
                f"{year.year} is {1 - year.bytes / manifest.bytes:.0%} smaller than the file that is loaded: if it has "
                "fewer rows, the run would stop there, unless with --allow-shrink"
            )
    return found


def _about_missing(plan: Plan, stored: dict[str, dict[int, TableYear]]) -> list[str]:
    found = []
    for name in plan.assets:
        for above in TABLES[name].upstream if name in TABLES else ():
            missing = [year.year for year in plan.years if year.year not in stored[above.name]]
            if missing and above.name not in plan.assets:
                found.append(f"{name} is made of {above.name}, which does not hold {format_years(missing)}")
    return found
