"""Longitude and latitude on a plane in metres that keeps areas, for shapes of the size of a city. Pure.

The sinusoidal projection of the WGS 84 ellipsoid around a central meridian: areas are exact, lengths within 0.1 % for
some tens of kilometres around that meridian.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

_A, _F = 6_378_137.0, 1 / 298.257223563
_E2 = _F * (2 - _F)


def meridian_arc(latitude: Any) -> Any:  # noqa: ANN401 - a number or an array
    """Metres from the equator along a meridian (Helmert's series); `latitude` in degrees."""
    phi = np.radians(latitude)
    n = _F / (2 - _F)
    return (
        _A / (1 + n)
        * ((1 + n**2 / 4 + n**4 / 64) * phi - 1.5 * (n - n**3 / 8) * np.sin(2 * phi)
           + 15 / 16 * (n**2 - n**4 / 4) * np.sin(4 * phi) - 35 / 48 * n**3 * np.sin(6 * phi)
           + 315 / 512 * n**4 * np.sin(8 * phi))
    )  # fmt: skip


def to_metres(shape: BaseGeometry, meridian: float) -> BaseGeometry:
    """The shape in metres, x from the central meridian (degrees)."""

    def project(lonlat: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        lon, lat = lonlat[:, 0], lonlat[:, 1]
        radius = _A / np.sqrt(1 - _E2 * np.sin(np.radians(lat)) ** 2)
        x = radius * np.cos(np.radians(lat)) * np.radians(lon - meridian)
        return np.column_stack((x, meridian_arc(lat)))

    return shapely.transform(shape, project)


def middle_of(shapes: list[BaseGeometry]) -> float:
    """The central meridian of all shapes. Raises ValueError where there are none, or coordinates are not degrees."""
    boxes = [shape.bounds for shape in shapes if not shape.is_empty]
    if not boxes:
        raise ValueError("it contains no shape")
    west, east = min(b[0] for b in boxes), max(b[2] for b in boxes)
    south, north = min(b[1] for b in boxes), max(b[3] for b in boxes)
    if west < -180 or east > 180 or south < -90 or north > 90:
        raise ValueError("its coordinates are not degrees; GeoJSON is longitude and latitude in WGS 84")
    if east - west > 5:
        raise ValueError(f"it spans {east - west:.1f} degrees of longitude; a city does not")
    return math.fsum((west, east)) / 2
