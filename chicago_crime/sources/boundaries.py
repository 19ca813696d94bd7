"""Read, validate and simplify the City's official outlines of community areas, police districts, beats and wards.

The outlines from the City's portal, or from a folder of GeoJSON files, are combined into one GeoJSON file in longitude
and latitude (WGS 84), with one feature per place and its `kind` and `number`.
"""

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import shapely
from pydantic import SecretStr
from shapely.geometry.base import BaseGeometry

from chicago_crime.sources.base import Boundaries, SourceError
from chicago_crime.sources.http import PUBLISHER_POLICY, HttpError, publisher_session, status_error, with_retries
from chicago_crime.sources.retry import RetryPolicy

POLICY = replace(PUBLISHER_POLICY, attempts=3)
"""Fewer attempts than for years, because runs go on without boundaries."""

TOLERANCE_DEG = 0.0001
"""Tolerance of simplifying a border: about 11 m, a quarter of a short block."""

CITY_DEG = (-88.0, 41.6, -87.4, 42.1)
"""Bounds of Chicago with a margin: west, south, east and north."""

MAX_OVERLAP = 0.01
"""Share of the city that may be in two places of one kind, because the City's borders do not match exactly."""


@dataclass(frozen=True)
class Kind:
    """A kind of place, with the ID of its dataset on the portal.

    Attributes:
        keys: names of the property with the number of a place, newest first.
        numbers, others: required and optional numbers.
    """

    name: str
    plural: str
    dataset: str
    keys: tuple[str, ...]
    numbers: frozenset[int]
    others: frozenset[int] = frozenset()


_DISTRICTS = frozenset((*range(1, 13), *range(14, 21), 22, 24, 25))
KINDS = {
    kind.name: kind
    for kind in (
        Kind("area", "community areas", "igwz-8jzy", ("area_numbe", "area_num_1"), frozenset(range(1, 78))),
        Kind("district", "police districts", "24zt-jpfn", ("dist_num",), _DISTRICTS, frozenset((13, 21, 23, 31))),
        Kind("beat", "police beats", "aerh-rz74", ("beat_num",), frozenset(), frozenset(range(100, 3200))),
        Kind("ward", "wards", "p293-wvbd", ("ward",), frozenset(range(1, 51))),
    )
}
"""By name. Districts 13, 21 and 23 were merged into others in 2012; 31 covers enclaves of other towns."""


def fetch_from_portal(url: str, app_token: SecretStr | None = None, policy: RetryPolicy = POLICY) -> Boundaries:
    """Download all outlines from the City's portal (a URL without a trailing slash), with one request per kind.

    Raises:
        SourceError: the download failed, or outlines are missing or not in Chicago.
    """

    def request(kind: Kind) -> bytes:
        def call() -> bytes:
            # A redirect would send the app token to another server.
            address = f"{url}/resource/{kind.dataset}.geojson"
            response = session.get(address, params={"$limit": "5000"}, allow_redirects=False)
            if response.status_code != 200:
                raise status_error(response, where_of(kind), policy)
            return response.content

        try:
            return with_retries(call, where_of(kind), policy)
        except HttpError as error:
            raise SourceError(
                f"{error}: the {kind.plural} cannot be downloaded. Export all boundaries as GeoJSON from the portal, "
                "and set CHICAGO_CRIME_BOUNDARIES to the folder with the files"
            ) from None

    def where_of(kind: Kind) -> str:
        return f"dataset {kind.dataset} at {url}"

    with publisher_session(policy, app_token) as session:
        contents = {where_of(kind): request(kind) for kind in KINDS.values()}
    return make_boundaries(f"the City's portal ({url})", contents)


def read_folder(folder: Path) -> Boundaries:
    """Read GeoJSON files as the portal exports them, one per kind, with any file names.

    Kinds without a file are allowed: pages derive their outlines from the crimes.

    Raises:
        SourceError: a file cannot be read, or outlines are missing or not in Chicago.
    """
    contents = {}
    for file in sorted((*folder.glob("*.geojson"), *folder.glob("*.json"))):
        try:
            contents[str(file)] = file.read_bytes()
        except OSError as error:
            raise SourceError(f"{file} cannot be read ({error.strerror}): check its permissions") from None
    if not contents:
        raise SourceError(f"{folder} has no .geojson file: export the boundaries from the City's portal")
    return make_boundaries(str(folder), contents)


def make_boundaries(origin: str, contents: Mapping[str, bytes]) -> Boundaries:
    """Validate outlines, join the parts of each place, and simplify without opening gaps between neighbors.

    `contents` has GeoJSON with one kind of place each, by the name of its file or dataset.

    Raises:
        SourceError: a place is missing, unknown, duplicated, or not in Chicago.
    """
    places, features, read = [], [], dict[str, str]()
    for where, content in contents.items():
        kind, found = _read(content, where)
        if (other := read.setdefault(kind.name, where)) != where:
            raise SourceError(f"{where} and {other} both have {kind.plural}: keep only one of them in the folder")
        shapes = _outlines(kind, where, found)
        places.append(f"{len(shapes)} {kind.plural}")
        simple = shapely.coverage_simplify(list(shapes.values()), TOLERANCE_DEG)
        features += [
            {
                "type": "Feature",
                "properties": {"kind": kind.name, "number": number},
                "geometry": shapely.geometry.mapping(shapely.set_precision(shape, 1e-6)),
            }
            for number, shape in zip(shapes, simple, strict=True)
        ]
    collection = {"type": "FeatureCollection", "origin": origin, "features": features}
    return Boundaries(origin, ", ".join(places), json.dumps(collection, separators=(",", ":")).encode())


def _outlines(kind: Kind, where: str, features: Sequence[Mapping[str, Any]]) -> dict[int, BaseGeometry]:
    parts: dict[int, list[BaseGeometry]] = defaultdict(list)
    for position, feature in enumerate(features, 1):
        number = _number(feature, kind)
        if number is None or number not in kind.numbers | kind.others:
            given = {key: feature["properties"].get(key) for key in kind.keys}
            raise SourceError(f"{where}: feature {position} has no valid number for {kind.plural}: {given}")
        try:
            parts[number].append(_polygons(shapely.geometry.shape(feature["geometry"])))
        except (TypeError, ValueError, KeyError, AttributeError, shapely.GEOSException) as error:
            raise SourceError(f"{where}: feature {position} (number {number}) has no boundary: {error}") from None
    if missing := sorted(kind.numbers - parts.keys()):
        raise SourceError(f"{where} lacks {kind.plural}: {', '.join(map(str, missing))}. Download it again")
    found = {number: shapely.union_all(shapes) for number, shapes in sorted(parts.items())}
    west, south, east, north = shapely.total_bounds(list(found.values()))
    if not (CITY_DEG[0] < west < east < CITY_DEG[2] and CITY_DEG[1] < south < north < CITY_DEG[3]):
        raise SourceError(
            f"{where} is not in Chicago: it extends from {west:g}, {south:g} to {east:g}, {north:g}. Export it "
            "as GeoJSON in longitude and latitude (WGS 84)"
        )
    total = sum(shape.area for shape in found.values())
    if total > shapely.union_all(list(found.values())).area * (1 + MAX_OVERLAP):
        raise SourceError(f"{where}: {kind.plural} overlap, which suggests a mix of different years. Download it again")
    return found


def _polygons(shape: BaseGeometry) -> BaseGeometry:
    """Return the polygons of a shape, with self-intersections repaired."""
    areas = [part for part in shapely.get_parts(shapely.make_valid(shape)) if part.geom_type.endswith("Polygon")]
    if not areas:
        raise ValueError(f"it is a {shape.geom_type}")
    return shapely.union_all(areas)


def _read(content: bytes, where: str) -> tuple[Kind, Sequence[Mapping[str, Any]]]:
    """Read the features of a GeoJSON file; their properties identify the kind."""
    try:
        features = json.loads(content)["features"]
        names = {name for feature in features for name in feature["properties"]}
    except (ValueError, TypeError, LookupError):
        raise SourceError(f"{where} is not GeoJSON with features: export it as GeoJSON, or download it again") from None
    for kind in KINDS.values():
        if names & set(kind.keys):
            return kind, features
    keys = ", ".join(kind.keys[0] for kind in KINDS.values())
    raise SourceError(f"{where}: unknown kind of boundaries, because no feature has one of the properties {keys}")


def _number(feature: Mapping[str, Any], kind: Kind) -> int | None:
    text = next((str(value) for key in kind.keys if (value := feature["properties"].get(key)) is not None), "")
    return int(float(text)) if re.fullmatch(r"\d+(\.0*)?", text) else None
