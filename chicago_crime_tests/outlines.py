"""A test city with square areas, and its GeoJSON files."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import shapely

from chicago_crime.definitions import build_definitions
from chicago_crime.graph.instance import open_instance
from chicago_crime.graph.run import run_boundaries
from chicago_crime.installation import Installation
from chicago_crime.settings import Settings
from chicago_crime.sources.boundaries import KINDS

SIDE_DEG = 0.01
NUMBERS = {name: sorted(kind.numbers) or [111, 112, 2535] for name, kind in KINDS.items()}


def square(number: int) -> dict[str, Any]:
    """Return a square in a grid with ten columns."""
    x, y = -87.9 + number % 10 * SIDE_DEG, 41.7 + number // 10 % 30 * SIDE_DEG
    return shapely.geometry.mapping(shapely.box(x, y, x + SIDE_DEG, y + SIDE_DEG))


def collection(kind: str, numbers: Iterable[int]) -> dict[str, Any]:
    """Return a GeoJSON collection like the portal's, with numbers as strings."""
    key = KINDS[kind].keys[0]
    features = [{"type": "Feature", "properties": {key: str(n), "x": 1}, "geometry": square(n)} for n in numbers]
    return {"type": "FeatureCollection", "features": features}


def write_outlines(folder: Path, **contents: Any) -> Path:
    """Write a file for each kind into a folder, some with other content."""
    folder.mkdir()
    for kind in KINDS:
        content = contents.get(kind, collection(kind, NUMBERS[kind]))
        (folder / f"any name of {kind}.geojson").write_text(json.dumps(content))
    return folder


def fetch_outlines(settings: Settings) -> dict[str, Any]:
    """Run the asset like the command line."""
    installation = Installation(settings)
    with open_instance(settings) as instance:
        return run_boundaries(installation, build_definitions(installation), instance)
