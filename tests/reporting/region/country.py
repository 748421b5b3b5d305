"""A made-up country: municipalities in the KOSTRA groups, with figures of several years that keep the rules."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from reporting.figures.points import all_points, unit_of
from reporting.figures.rules import SUMS_TO_100
from reporting.region.groups import kostra

COLUMNS = ["city", "code", "part", "year", "value", "numerator", "denominator", "source", "quality"]
RATIO = "EC:ICT:ICT:2C"  # reported with numerator and denominator
TARGETS = """
[[target]]
code = "EC:ICT:ICT:2C"
value = 60

[[target]]
code = "SC:SH:SI:4C"
value = 80

[[target]]
code = "EC:I:WS:3C"
value = 20

[[target]]
code = "SC:SH:SA:9C"
value = 2

[[target]]
code = "EN:EN:AQ:1C"
part = "no2"
value = 10

[[target]]
code = "SC:EH:H:3C"
value = 400
"""


def cities(seed: int = 1) -> list[dict[str, str | float]]:
    """The 356 municipalities of the groups, each with a population within its group's bounds."""
    draw = np.random.default_rng(seed)
    found: list[dict[str, str | float]] = []
    for group in kostra().values():
        low, high = group.inhabitants or (5000, 700_000)
        for _ in range(group.municipalities):
            people = round(float(np.exp(draw.uniform(np.log(max(low, 200)), np.log(high)))))
            found.append({
                "id": f"m{len(found) + 1:03}", "name": f"Municipality {len(found) + 1}", "country": "NO",
                "timezone": "Europe/Oslo", "population": max(people, low), "households": max(people, low) // 2 + 1,
                "area_km2": round(float(draw.uniform(20, 4000)), 1), "group": group.id, "region": "norway",
                "income_per_capita": round(float(draw.uniform(300_000, 600_000))),
                "heating_degree_days": round(float(draw.uniform(3000, 6500))),
                "car_share": round(float(draw.uniform(0.3, 0.7)), 3),
            })  # fmt: skip
    return found


def cities_csv(rows: list[dict[str, str | float]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def figures(rows: list[dict[str, str | float]], years: range, seed: int = 2) -> list[list[str]]:
    """One row for each city, year and figure."""
    draw = np.random.default_rng(seed)
    points = list(all_points())
    found = []
    for row in rows:
        level = draw.uniform(0.2, 0.8, len(points))
        for year in years:
            for (kpi, part), value in zip(points, _values(draw, points, level, row), strict=True):
                ratio = kpi.code == RATIO
                below = float(row["households"])
                numbers = ["", repr(round(value / 100 * below, 2)), repr(below)] if ratio else [repr(value), "", ""]
                found.append([str(row["id"]), kpi.code, part, str(year), *numbers, "office", "measured"])
    return found


def _values(draw: np.random.Generator, points: list, level: np.ndarray, row: dict[str, str | float]) -> list[float]:  # type: ignore[type-arg]
    noisy = np.clip(level + draw.normal(0, 0.01, len(level)), 0.05, 0.95)
    found = []
    for (kpi, part), share in zip(points, noisy.tolist(), strict=True):
        unit = unit_of(kpi, part)
        if unit == "yes/no":
            found.append(float(share > 0.5))
        elif unit == "0-1":
            found.append(round(0.2 + 0.3 * share, 4))
        elif unit.startswith("%"):
            found.append(round(100 * share, 2))
        else:
            found.append(round(10 ** (1 + 2 * share), 2))
    by_point = {(kpi.code, part): i for i, (kpi, part) in enumerate(points)}
    for code in SUMS_TO_100:
        places = [i for (c, _), i in by_point.items() if c == code]
        total = sum(found[i] for i in places)
        for i in places:
            found[i] = round(100 * found[i] / total, 2)
    stages = [by_point["EN:EN:WS:4C", s] for s in ("primary", "secondary", "tertiary")]
    for i, value in zip(stages, sorted((found[i] for i in stages), reverse=True), strict=True):
        found[i] = value
    basic, potable = by_point["EC:I:WS:1C", ""], by_point["EC:I:WS:2C", ""]
    found[potable] = min(found[potable], found[basic])
    return found


def write(folder: Path, rows: list[dict[str, str | float]], years: range) -> tuple[Path, Path, Path]:
    """figures.csv, cities.csv and targets.toml."""
    paths = folder / "figures.csv", folder / "cities.csv", folder / "targets.toml"
    with paths[0].open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(figures(rows, years))
    paths[1].write_text(cities_csv(rows))
    paths[2].write_text(TARGETS)
    return paths
