"""Dagster definitions for the published numbers: the static site as an asset, and the scheduled report."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dagster import (
    AssetsDefinition,
    DefaultSensorStatus,
    Failure,
    MaterializeResult,
    MetadataValue,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    asset,
    sensor,
)

from chicago_crime.errors import PlatformError, UsageError
from chicago_crime.graph.alerts import Held, send, tick_of_each
from chicago_crime.graph.assets.describe import OWNERS
from chicago_crime.installation import Installation, build_bucket_store
from chicago_crime.published.catalog import CHICAGO, NothingPublishedError
from chicago_crime.settings import SettingsError
from chicago_crime.storage.object_store import ObjectStore
from chicago_crime.tables.years import format_years


def site_assets(installation: Installation) -> list[AssetsDefinition]:
    """Build the asset of the site, if the settings name a folder or bucket for it."""
    settings = installation.settings
    if settings.site_folder is None and settings.gcs_site_bucket is None:
        return []

    @asset(
        deps=["published"],
        group_name="published",
        kinds={"html"},
        owners=OWNERS,
        description="Static pages of the newest snapshot, in a folder or bucket: city, places, unusual counts, "
        "methods, downloads.",
    )
    def site() -> MaterializeResult:
        from chicago_crime.serve.site import write_site

        folder = settings.site_folder or settings.data_dir / "site"
        try:
            done = write_site(installation, folder)
            if settings.gcs_site_bucket:
                upload(folder, build_bucket_store(settings, settings.gcs_site_bucket))
        except PlatformError as error:
            raise Failure(str(error), allow_retries=False) from error
        base = f"https://storage.googleapis.com/{settings.gcs_site_bucket}" if settings.gcs_site_bucket else folder
        return MaterializeResult(metadata=asdict(done) | {"site": MetadataValue.url(f"{base}/index.html")})

    return [site]


def upload(folder: Path, store: ObjectStore) -> None:
    """Upload the files of a site to a store. Objects of the same names are replaced, and only earlier uploads removed.

    Raises:
        PlatformError: the store refuses access, or its manifest is not one of a site.
    """
    from chicago_crime.serve.site import MANIFEST, parse_manifest, read_manifest

    earlier = store.read(MANIFEST)
    stored = parse_manifest(earlier[0], f"{MANIFEST} in the bucket").files if earlier else {}
    files = read_manifest(folder).files
    changed = [name for name, file in files.items() if stored.get(name) != file]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store.put(name, folder / name), changed))
        list(pool.map(store.delete, stored.keys() - files.keys()))
    if files != stored:
        store.put(MANIFEST, folder / MANIFEST)


@dataclass(frozen=True)
class Sent:
    """What a recipient already has: day of the last regular report, snapshot, and keys of unusual counts."""

    day: str = ""
    snapshot: str = ""
    unusual: tuple[str, ...] = ()


def report_sensors(installation: Installation) -> list[SensorDefinition]:
    """Build the sensor that sends the report, if the settings name areas for it."""
    settings = installation.settings
    if settings.report_areas is None or settings.alerts is None:
        return []
    addresses = settings.alerts.get_secret_value()

    @sensor(
        minimum_interval_seconds=3600,
        default_status=DefaultSensorStatus.RUNNING,
        description="Sends the report on the chosen areas on its weekday, and when new unusual counts appear there.",
    )
    def send_report(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        def send_new(address: str, held: Held | None) -> tuple[Sent, str]:
            return report(installation, address, Sent(**held or {}), datetime.now(CHICAGO))

        try:
            return tick_of_each(addresses, context.cursor, send_new)
        except NothingPublishedError as error:
            return SkipReason(str(error))

    return [send_report]


def report(installation: Installation, address: str, sent: Sent, now: datetime) -> tuple[Sent, str]:
    """Send the report if it is due; return what the recipient has afterwards, and a message on what was done.

    Raises:
        SettingsError: an area does not exist.
        PlatformError: nothing is published, or the address cannot be reached.
    """
    # The pages import charting libraries, which would slow Dagster down.
    from chicago_crime.analysis.expected import UNUSUAL
    from chicago_crime.dashboard.data import Data
    from chicago_crime.dashboard.filters import Filters
    from chicago_crime.dashboard.known import require_known
    from chicago_crime.dashboard.page_request import NothingMatchesError, PageRequest
    from chicago_crime.dashboard.pages.signals import SPANS, signals
    from chicago_crime.dashboard.report import write_report

    settings, today = installation.settings, now.date().isoformat()
    is_report_day = f"{now:%A}".lower() == settings.report_day and sent.day != today
    data = Data(installation.reader())
    snapshot = data.catalog.snapshot
    if snapshot == sent.snapshot and not is_report_day:
        return sent, "nothing new"
    try:
        named: Any = (settings.report_areas or "").split(",")
        filters = require_known(data, Filters(area=tuple(name.strip() for name in named)))
    except UsageError as error:
        raise SettingsError(f"CHICAGO_CRIME_REPORT_AREAS: {error}") from error
    request, areas = PageRequest(data, filters), filters.area
    view = signals(request)
    found = {
        f"{span}: {row['name']}": f"{label}: {row['sentence']}"
        for span, label in SPANS.items()
        if (table := view.table(span))
        for row in table.rows
        if row["verdict"] == UNUSUAL
    }
    done = "nothing new"
    if is_report_day or not found.keys() <= {*sent.unusual}:
        names, year = [request.area_name(area) for area in areas], max(request.facts.years)
        mark = f"SYNTHETIC ({synthetic}), " if (synthetic := format_years(request.facts.synthetic)) else ""
        lines = [*found.values()] or [f"No counts in {', '.join(names)} are known to be unusual."]
        with TemporaryDirectory() as folder:
            files = []
            for area, name in zip(areas, names, strict=True):
                file = Path(folder, f"{name} {year}.html")
                try:
                    write_report(installation, year, file, snapshot, area=area)
                    files.append(file)
                except NothingMatchesError:
                    lines.append(f"No crimes were reported in {name} in {year}.")
            title = f"{mark}Unusual crime counts in {', '.join(names)}: {len(found)}"
            send(address, title, [*lines, f"To cite: {request.citation}"], files)
            done = "sent"
    return Sent(today if is_report_day else sent.day, snapshot, tuple(found)), done
