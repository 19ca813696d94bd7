"""Projection of longitude and latitude to the City's coordinates: NAD83 Illinois East, in feet (EPSG:3435).

Formulas: J. P. Snyder, Map Projections: A Working Manual, USGS 1987, pages 60-61. In Chicago they are exact to 0.01 ft.
"""

import numpy as np
import numpy.typing as npt

from chicago_crime.tables.columns import X_FT, Y_FT

Points = npt.NDArray[np.float64]
"""One pair of coordinates per row."""

FT_M = 1200 / 3937
"""The US survey foot."""

_AXIS_M, _FLATTENING = 6_378_137.0, 1 / 298.257222101
_SCALE, _EAST_M = 0.999975, 300_000.0
_LON0, _LAT0 = np.radians(-(88 + 20 / 60)), np.radians(36 + 40 / 60)
_E2 = _FLATTENING * (2 - _FLATTENING)
_EP2 = _E2 / (1 - _E2)


def _arc(lat: npt.NDArray[np.float64] | np.float64) -> npt.NDArray[np.float64]:
    """Meters along the meridian from the equator."""
    return np.asarray(
        _AXIS_M
        * (
            (1 - _E2 / 4 - 3 * _E2**2 / 64 - 5 * _E2**3 / 256) * lat
            - (3 * _E2 / 8 + 3 * _E2**2 / 32 + 45 * _E2**3 / 1024) * np.sin(2 * lat)
            + (15 * _E2**2 / 256 + 45 * _E2**3 / 1024) * np.sin(4 * lat)
            - 35 * _E2**3 / 3072 * np.sin(6 * lat)
        )
    )


def to_feet(degrees: Points) -> Points:
    """Project longitude and latitude (NAD83; WGS 84 differs by less than two meters) to x and y in feet."""
    lon, lat = np.radians(degrees).T
    sin, cos, tan = np.sin(lat), np.cos(lat), np.tan(lat)
    n = _AXIS_M / np.sqrt(1 - _E2 * sin**2)
    t, c, a = tan**2, _EP2 * cos**2, (lon - _LON0) * cos
    x = a + (1 - t + c) * a**3 / 6 + (5 - 18 * t + t**2 + 72 * c - 58 * _EP2) * a**5 / 120
    y = a**2 / 2 + (5 - t + 9 * c + 4 * c**2) * a**4 / 24 + (61 - 58 * t + t**2 + 600 * c - 330 * _EP2) * a**6 / 720
    east = _EAST_M + _SCALE * n * x
    north = _SCALE * (_arc(lat) - _arc(_LAT0) + n * tan * y)
    return np.stack([east, north], axis=1) / FT_M


def tile_coordinates(degrees: Points) -> Points:
    """Convert longitude and latitude to web tile coordinates: 0 to 1 from west and from north."""
    lon, lat = np.radians(degrees).T
    return np.stack([(lon / np.pi + 1) / 2, (1 - np.arcsinh(np.tan(lat)) / np.pi) / 2], axis=1)


def tile_polynomials(scale: float) -> dict[str, list[list[float]]]:
    """Fit polynomials between web tile and map coordinates, with which a script places tiles.

    Args:
        scale: feet per map unit; y points down.

    Returns:
        `center`: the middle of the city in both systems. `to`: for map x and y, coefficients of 1, u, v, u², uv, v²,
        where u and v are (tile coordinates - center) * 10,000; exact to 0.1 ft. `from`: for tile coordinates, the
        coefficients of the same terms of (map coordinates - center) / 10,000.
    """
    grid = np.stack(np.meshgrid(np.linspace(-87.95, -87.5, 30), np.linspace(41.62, 42.05, 30)), axis=-1).reshape(-1, 2)
    feet = to_feet(grid) / scale * [1, -1]
    tiles = tile_coordinates(grid)
    middle = np.array([sum(X_FT) / 2, -sum(Y_FT) / 2]) / scale
    origin = tiles.mean(axis=0)
    there, back = (tiles - origin) * 10_000, (feet - middle) / 10_000
    return {
        "center": [origin.tolist(), middle.tolist()],
        "to": _fitted(there, feet - middle),
        "from": _fitted(back, tiles - origin),
    }


def _fitted(points: Points, values: Points) -> list[list[float]]:
    u, v = points.T
    terms = np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], axis=1)
    found: list[list[float]] = np.linalg.lstsq(terms, values, rcond=None)[0].T.tolist()
    return found
