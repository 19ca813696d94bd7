"""What Dagster does with the published numbers: the static site as an asset, and the report that is sent."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

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

from chicago_crime.errors import PlatformError
from chicago_crime.graph.alerts import send
from chicago_crime.graph.assets.describe import OWNERS
from chicago_crime.installation import Installation, build_bucket_store
from chicago_crime.published.catalog import CHICAGO, NothingPublishedError
from chicago_crime.settings import SettingsError
from chicago_crime.storage.object_store import ObjectStore

if TYPE_CHECKING:  # the pages need what draws charts, and Dagster shall not wait for it
    from chicago_crime.dashboard.page_request import PageRequest


def site_assets(installation: Installation) -> list[AssetsDefinition]:
    """The asset of the site, if the settings name a folder or a bucket for it."""
    settings = installation.settings
    if settings.site_folder is None and settings.gcs_site_bucket is None:
        return []

    @asset(
        deps=["published"],
        group_name="published",
        kinds={"html"},
        owners=OWNERS,
        description="Static pages of the newest snapshot, in a folder or a bucket: city, places, what is unusual, "
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
        at = f"https://storage.googleapis.com/{settings.gcs_site_bucket}" if settings.gcs_site_bucket else folder
        return MaterializeResult(metadata=asdict(done) | {"site": MetadataValue.url(f"{at}/index.html")})

    return [site]


def upload(folder: Path, store: ObjectStore) -> None:
    """Make a store have the files of a site; only those that an earlier call stored are replaced or removed.

    Raises:
        PlatformError: the store refuses, or has something else in the manifest's place.
    """
    from chicago_crime.serve.site import MANIFEST, parse_manifest, read_manifest

    earlier = store.read(MANIFEST)
    stored = parse_manifest(earlier[0], f"{MANIFEST} of the bucket").files if earlier else {}
    files = read_manifest(folder).files
    changed = [name for name, file in files.items() if stored.get(name) != file]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: store.put(name, folder / name), changed))
        list(pool.map(store.delete, stored.keys() - files.keys()))
    if files != stored:
        store.put(MANIFEST, folder / MANIFEST)


@dataclass(frozen=True)
class Sent:
    """What recipients of the report know: its newest day, the snapshot, and what they know to be unusual."""

    day: str = ""
    snapshot: str = ""
    unusual: tuple[str, ...] = ()


def report_sensors(installation: Installation) -> list[SensorDefinition]:
    """The sensor of the report, if the settings name areas for it."""
    settings = installation.settings
    if settings.report_areas is None or settings.alerts is None:
        return []
    addresses = settings.alerts.get_secret_value()

    @sensor(
        minimum_interval_seconds=3600,
        default_status=DefaultSensorStatus.RUNNING,
        description="Sends the report on the chosen areas on its day, and when something else in them is unusual.",
    )
    def send_report(context: SensorEvaluationContext) -> SensorResult | SkipReason:
        sent = Sent(**json.loads(context.cursor)) if context.cursor else Sent()
        try:
            sent, done = report(installation, addresses, sent, datetime.now(CHICAGO))
        except NothingPublishedError as error:
            return SkipReason(str(error))
        return SensorResult(skip_reason=done, cursor=json.dumps(asdict(sent)))

    return [send_report]


def report(installation: Installation, addresses: str, sent: Sent, now: datetime) -> tuple[Sent, str]:
    """Send the report if it is due; what recipients know afterwards, and what was done.

    Raises:
        SettingsError: there is no such area.
        PlatformError: nothing is published, or no address can be reached.
    """
    from chicago_crime.dashboard import caveats
    from chicago_crime.dashboard.data import Data
    from chicago_crime.dashboard.filters import Filters
    from chicago_crime.dashboard.known import require_known
    from chicago_crime.dashboard.page_request import NothingMatchesError, PageRequest
    from chicago_crime.dashboard.report import write_report

    settings, today = installation.settings, now.date().isoformat()
    is_its_day = f"{now:%A}".lower() == settings.report_day and sent.day != today
    data = Data(installation.reader())
    snapshot = data.catalog.snapshot
    if snapshot == sent.snapshot and not is_its_day:
        return sent, "nothing new"
    try:
        named: Any = (settings.report_areas or "").split(",")
        filters = require_known(data, Filters(area=tuple(name.strip() for name in named)))
    except PlatformError as error:
        raise SettingsError(f"CHICAGO_CRIME_REPORT_AREAS: {error}") from error
    request, areas = PageRequest(data, filters), filters.area
    found = dict(unusual(request))
    done = "nothing new"
    if is_its_day or not found.keys() <= {*sent.unusual}:
        names, year = [request.area_name(area) for area in areas], max(request.facts.years)
        mark = f"SYNTHETIC ({synthetic}), " if (synthetic := caveats.synthetic_years(request.facts)) else ""
        lines = [*found.values()] or [f"Nothing in {', '.join(names)} is known to be unusual."]
        with TemporaryDirectory() as folder:
            files = []
            for area, name in zip(areas, names, strict=True):
                file = Path(folder, f"{name} {year}.html")
                try:
                    write_report(installation, year, file, snapshot, area=area)
                    files.append(file)
                except NothingMatchesError:
                    lines.append(f"No crime is reported in {name} in {year}.")
            title = f"{mark}Chicago crime: {len(found)} unusual in {', '.join(names)}"
            done = send(addresses, title, [*lines, f"To cite: {request.citation}"], files) or "sent"
    return Sent(today if is_its_day else sent.day, snapshot, tuple(found)), done


def unusual(request: "PageRequest") -> Iterator[tuple[str, str]]:
    """What is unusual under the filters: a name that stays the same from snapshot to snapshot, and a sentence."""
    from chicago_crime.analysis.expected import UNUSUAL
    from chicago_crime.dashboard.pages.signals import SPANS, signals

    view = signals(request)
    for span, label in SPANS.items():
        table = view.table(span)
        for row in table.rows if table else ():
            if row["verdict"] == UNUSUAL:
                yield f"{span}: {row['name']}", f"{label}: {row['sentence']}"
