"""The City's outlines, from a portal on loopback or a folder, through to the snapshot."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely

from chicago_crime.errors import PlatformError
from chicago_crime.installation import Installation
from chicago_crime.published.catalog import DamagedError
from chicago_crime.settings import Settings
from chicago_crime.sources.base import SourceError
from chicago_crime.sources.boundaries import KINDS, fetch_from_portal, read_folder
from chicago_crime.sources.retry import RetryPolicy
from chicago_crime_tests.outlines import NUMBERS, collection, fetch_outlines, square, write_outlines
from chicago_crime_tests.servers.faults import Fault
from chicago_crime_tests.servers.portal_server import PortalServer
from chicago_crime_tests.support import REAL_DATA, run_well


@pytest.fixture
def portal() -> Iterator[PortalServer]:
    with PortalServer([], "planted0app0token").answering() as server:
        for name, kind in KINDS.items():
            server.outlines[f"/resource/{kind.dataset}.geojson"] = json.dumps(collection(name, NUMBERS[name]))
        yield server


def test_outlines_are_published_and_kept(loaded_copy: Settings, portal: PortalServer) -> None:
    before = Installation(loaded_copy).reader()
    assert before.boundaries() is None
    settings = loaded_copy.model_copy(update={"portal_url": portal.url})
    made = fetch_outlines(settings)
    assert made["places"] == "77 community areas, 22 police districts, 3 police beats, 50 wards"
    reader = Installation(settings).reader()
    assert reader.catalog.snapshot == made["snapshot"] != before.catalog.snapshot
    assert (reader.catalog.years, reader.catalog.changed) == (before.catalog.years, [])
    content = reader.boundaries()
    assert content
    found = {(one["properties"]["kind"], one["properties"]["number"]) for one in json.loads(content)["features"]}
    assert found == {(kind, number) for kind, numbers in NUMBERS.items() for number in numbers}

    assert fetch_outlines(settings)["snapshot"] == made["snapshot"], "identical outlines create no snapshot"
    (settings.data_dir / "objects" / "reference" / "boundaries.geojson").unlink()
    run_well(settings, 2014)
    assert Installation(settings).reader().boundaries() == content
    assert Installation(settings).reader(before.catalog.snapshot).boundaries() is None

    assert reader.catalog.boundaries
    held = settings.data_dir / "objects" / reader.catalog.boundaries.key
    held.unlink()
    held.write_text("{}")
    with pytest.raises(DamagedError, match="chicago-crime boundaries"):
        reader.boundaries()


def test_requests_are_retried_and_errors_give_advice(portal: PortalServer) -> None:
    policy = RetryPolicy(attempts=2, first_wait_s=0.01, timeout_s=5)
    portal.will(Fault(status=503), on=KINDS["beat"].dataset)
    assert fetch_from_portal(portal.url, policy=policy).places.startswith("77 community areas")
    portal.outlines.clear()
    with pytest.raises(SourceError, match=r"igwz-8jzy.*404.*CHICAGO_CRIME_BOUNDARIES"):
        fetch_from_portal(portal.url, policy=policy)


def test_an_error_is_the_message_of_the_run(tmp_path: Path) -> None:
    with pytest.raises(PlatformError, match=r"^\S*/in has no .geojson file"):
        fetch_outlines(Settings(data_dir=tmp_path / "data", boundaries=tmp_path / "in"))


WARDS = collection("ward", NUMBERS["ward"])
WARD_5 = collection("ward", [5])["features"][0]
POINT = {"type": "Point", "coordinates": [-87.7, 41.8]}
MIXED = {"features": [one | {"geometry": square(n % 40)} for n, one in enumerate(WARDS["features"])]}


@pytest.mark.parametrize(
    ("kind", "content", "message"),
    [
        ("area", collection("area", range(1, 77)), "any name of area.geojson lacks community areas: 77"),
        ("area", collection("area", range(1, 79)), "feature 78 has no valid number for community areas: .*'78'"),
        ("ward", json.loads(json.dumps(WARDS).replace("-87.", "-89.")), "is not in Chicago: it extends from -89"),
        ("ward", MIXED, "wards overlap, which suggests a mix of different years"),
        ("ward", {"features": [WARD_5 | {"geometry": None}]}, r"feature 1 \(number 5\) has no boundary"),
        ("ward", {"features": [WARD_5 | {"geometry": POINT}]}, "has no boundary: it is a Point"),
        ("ward", collection("area", NUMBERS["area"]), "both have community areas"),
        ("ward", {"features": [WARD_5 | {"properties": {"name": "x"}}]}, "unknown kind of boundaries"),
        ("ward", {"type": "Topology"}, "is not GeoJSON with features"),
    ],
)
def test_invalid_outlines_are_refused(tmp_path: Path, kind: str, content: Any, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_folder(write_outlines(tmp_path / "in", **{kind: content}))


def test_simplified_outlines_are_small_and_without_gaps() -> None:
    folder = REAL_DATA / "boundaries"
    if not folder.exists():
        pytest.skip("the boundaries are missing beside the project")
    content = read_folder(folder).geojson
    assert len(content) < 0.7 * sum(file.stat().st_size for file in folder.glob("*.geojson"))
    features = json.loads(content)["features"]
    areas = [shapely.geometry.shape(one["geometry"]) for one in features if one["properties"]["kind"] == "area"]
    assert len(areas) == 77
    assert all(area.is_valid for area in areas)
    city = shapely.union_all(areas)
    assert sum(area.area for area in areas) == pytest.approx(city.area, rel=1e-5)
    [file] = folder.glob("community_areas*")
    originals = [shapely.geometry.shape(one["geometry"]) for one in json.loads(file.read_text())["features"]]
    assert city.symmetric_difference(shapely.union_all(originals)).area < 0.002 * city.area
