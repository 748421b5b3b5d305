"""Green areas, access to them and other figures of the city's map, from the text of GeoJSON files. Pure.

Areas of overlapping shapes count once. Access: an inhabitant has it within a straight distance of a green area of at
least the given size (defaults 300 m and 0.5 ha, WHO Europe's recommendation; from general knowledge).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from reporting.files.plane import middle_of, to_metres

GIVES = {
    "EN:EN:PSN:1C": "polygons of green areas",
    "EN:EN:PSN:2A": "polygons of green areas and points with inhabitants",
    "EN:EN:PSN:3A": "polygons of protected areas",
    "EN:EN:PSN:4A": "polygons of recreation areas",
    "EC:I:UP:1A": "polygons of pedestrian zones",
    "EC:I:T:3C": "lines of bicycle paths",
    "EC:I:T:2A": "points of stops and points with inhabitants",
}


def shapes_of(text: str) -> list[tuple[BaseGeometry, dict[str, Any]]]:
    """Shapes and properties of a feature collection. Raises ValueError with a sentence."""
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from None
    if not isinstance(raw, dict) or raw.get("type") != "FeatureCollection":
        raise ValueError("it is not a GeoJSON FeatureCollection")
    found = []
    for number, feature in enumerate(raw.get("features", []), start=1):
        try:
            made = shape(feature["geometry"])
            made = made if made.is_valid else shapely.make_valid(made)
        except (KeyError, TypeError, AttributeError, ValueError, shapely.errors.ShapelyError):
            raise ValueError(f"feature {number} has no valid geometry") from None
        found.append((made, feature.get("properties") or {}))
    return found


def people_of(text: str) -> list[tuple[BaseGeometry, float]]:
    """Points with their `population`. Raises ValueError."""
    found = []
    for number, (point, properties) in enumerate(shapes_of(text), start=1):
        people = properties.get("population")
        if point.geom_type != "Point" or isinstance(people, bool) or not isinstance(people, int | float) or people < 0:
            raise ValueError(f"feature {number} is not a point with a number `population`")
        found.append((point, float(people)))
    return found


def area_m2(shapes: Sequence[BaseGeometry]) -> float:
    """Area of the union of the polygons, m2."""
    meridian = middle_of(list(shapes))
    return float(shapely.union_all([to_metres(s, meridian) for s in shapes]).area)


def length_km(shapes: Sequence[BaseGeometry]) -> float:
    """Length of the union of the lines, km: a line that is listed twice counts once."""
    meridian = middle_of(list(shapes))
    lines = [to_metres(s, meridian) for s in shapes if "Line" in s.geom_type]
    return float(shapely.union_all(lines).length) / 1000.0


def share_within(
    people: Sequence[tuple[BaseGeometry, float]],
    targets: Sequence[BaseGeometry],
    distance_m: float,
    least_m2: float = 0.0,
) -> tuple[float, float]:
    """Inhabitants within a straight distance of a shape of at least `least_m2`, and all of them."""
    meridian = middle_of([*(p for p, _ in people), *targets])
    plain = [to_metres(s, meridian) for s in targets]
    # Areas that touch are one area; their size counts together.
    merged = shapely.get_parts(shapely.union_all(plain)) if least_m2 else plain
    wanted = [s for s in merged if s.area >= least_m2]
    points = [to_metres(p, meridian) for p, _ in people]
    total = sum(n for _, n in people)
    if not wanted:
        return 0.0, total
    near = shapely.STRtree(wanted).query(points, predicate="dwithin", distance=distance_m)[0]
    return sum(people[i][1] for i in set(near.tolist())), total
