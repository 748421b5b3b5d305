"""Reported figures of the demo city and four neighbours for five years, and targets. Invented; the same at each start.

`figures.csv`: the demo city's value of the last full year, its change in per cent a year, and its target. Neighbours
differ by a fixed pseudo-random factor; some of their figures are missing.
"""

from __future__ import annotations

import csv
import io
import tomllib
from hashlib import blake2b
from importlib.resources import files
from typing import Any

from kpi_derivation.catalogue import KPIS
from registry.city import City
from reporting.figures.points import all_points, unit_of

YEARS = 5
_FOLDER = files("cityvitals.local.showcase")
_PARTS_OF_100 = ("EC:I:T:4A", "EN:EN:WA:1C")
_MISSING = 0.14  # of a neighbour's figures
_UNITS = {(kpi.code, part): unit_of(kpi, part) for kpi, part in all_points()}


def rows() -> list[dict[str, str]]:
    """The lines of figures.csv."""
    return list(csv.DictReader(io.StringIO((_FOLDER / "figures.csv").read_text(encoding="utf-8"))))


def targets() -> list[dict[str, Any]]:
    """The [[target]] entries of all five cities."""
    wanted = [row for row in rows() if row["target"]]
    return [
        {"code": row["code"], **({"part": row["part"]} if row["part"] else {}), "value": float(row["target"])}
        for row in wanted
    ]


def neighbours() -> list[City]:
    """The four cities around the demo city: numbers, targets and practices, no devices."""
    return [
        City.model_validate(
            {
                "city": {"country": "NO", "timezone": "Europe/Oslo", "region": "demo", **_numbers(entry)},
                "target": targets(),
                "practice": [{"code": code, "text": text} for code, text in entry["practice"]],
            }
        )
        for entry in _listed()
    ]


def _listed() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = tomllib.loads((_FOLDER / "region.toml").read_text(encoding="utf-8"))["city"]
    return found


def _numbers(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in ("practice", "better")}


def as_csv(last_year: int) -> str:
    """All figures of the five cities in the columns of `cityvitals region import`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("city", "code", "part", "year", "value", "source", "quality"))
    better = {"demo": 0.0} | {entry["id"]: entry["better"] for entry in _listed()}
    for city in better:
        for year in range(last_year - YEARS + 1, last_year + 1):
            for row, value in _values(city, better[city], last_year - year):
                writer.writerow((city, row["code"], row["part"], year, f"{value:.6g}", row["source"], row["quality"]))
    return out.getvalue()


def _values(city: str, better: float, back: int) -> list[tuple[dict[str, str], float]]:
    """The figures of a city `back` years before the last one."""
    found = [(row, _value(city, better, row, back)) for row in rows() if not _is_missing(city, row["code"])]
    return [(row, _share(found, row["code"], v) if row["code"] in _PARTS_OF_100 else v) for row, v in found]


def _is_missing(city: str, code: str) -> bool:
    return city != "demo" and _draw(city, code, "missing") < _MISSING


def _value(city: str, better: float, row: dict[str, str], back: int) -> float:
    value, unit = float(row["value"]), _UNITS[row["code"], row["part"]]
    if unit == "yes/no":
        return 1.0 - value if city != "demo" and _draw(city, row["code"], row["part"]) < 0.15 else value
    block = row["code"].rpartition(":")[0]  # figures of a block depend on one another, as potable on basic water supply
    wobble = 1.0 + 0.02 * (_draw(city, block, back) - 0.5) if back else 1.0
    factor = 1.0 if city == "demo" else _factor(row["code"], better + 0.36 * (_draw(city, block) - 0.5))
    past = value * (1 + float(row["change"]) / 100) ** -back * wobble
    if unit.startswith("%") and value > 50:  # of a high share the rest varies, so that it stays below 100
        return max(0.0, min(100.0, 100.0 - (100.0 - past) * (1.0 + 3.0 * (1.0 - factor))))
    return past * factor


def _factor(code: str, better: float) -> float:
    """By what a figure is multiplied that is better by this share."""
    return 1.0 / (1.0 + better) if KPIS[code].direction == "lower" else 1.0 + better


def _share(found: list[tuple[dict[str, str], float]], code: str, value: float) -> float:
    """A part of a whole, scaled so that all parts make 100."""
    return 100.0 * value / sum(v for row, v in found if row["code"] == code)


def _draw(*words: object) -> float:
    """A fixed pseudo-random number in [0, 1) for these words."""
    digest = blake2b("/".join(map(str, words)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
