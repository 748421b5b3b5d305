"""Groups of like cities: those of Statistics Norway (KOSTRA, 2020), which come with the program, and a city's own.

A city names its group in `group` of [city]. `kostra-2020/7` is group 7 of the official list; any other text is an own
group. The official grouping is by inhabitants, bound costs and free income (source: ssb.no, about every five years).
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

import msgspec

from telemetry.errors import UsageError

KOSTRA = "kostra-2020"


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """An official group; bounds of inhabitants are None where the group is not made by them."""

    id: str
    inhabitants: tuple[int, int] | None
    bound_costs: str
    free_income: str
    municipalities: int
    note: str


@cache
def kostra() -> dict[str, Group]:
    """The 17 groups by id."""
    lines = (files("reporting.region") / "kostra_2020.csv").read_text(encoding="utf-8").splitlines()
    return {f"{KOSTRA}/{row['group']}": _group(row) for row in csv.DictReader(lines)}


def _group(row: dict[str, str]) -> Group:
    bounds = (int(row["inhabitants_from"]), int(row["inhabitants_to"])) if row["inhabitants_from"] else None
    return Group(
        id=f"{KOSTRA}/{row['group']}", inhabitants=bounds, bound_costs=row["bound_costs"],
        free_income=row["free_income"], municipalities=int(row["municipalities"]), note=row["note"],
    )  # fmt: skip


def check_group(name: str, population: float | None) -> str:
    """A sentence where a city does not fit its official group; empty where it does. Raises UsageError for no group."""
    if not name.startswith(f"{KOSTRA}/"):
        return ""
    if name not in kostra():
        raise UsageError(f"There is no group '{name}'; {KOSTRA} has the groups 1 to {len(kostra())}.")
    bounds = kostra()[name].inhabitants
    if population is None or bounds is None or bounds[0] <= population <= bounds[1]:
        return ""
    return f"{population:,.0f} inhabitants are not within {bounds[0]:,} to {bounds[1]:,} of {name}"
