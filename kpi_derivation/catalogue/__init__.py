"""The catalogue: all 91 U4SSC KPIs and the local ones. The folder is the registry.

`u4ssc.csv` holds the 91 rows (facts; units and types carry their status, `unconfirmed` where no publisher's text was
seen). Every other module in this folder derives one KPI: it has `CODE` (or `KPI` for a local one), `METHOD`, `REGION`
and `derive(view)`. Adding a KPI is adding one such file: what it reads is recorded while it runs.
"""

from __future__ import annotations

import csv
import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from types import ModuleType

import msgspec

from kpi_derivation.directions import direction_of
from kpi_derivation.engine.asked import asked_of_any_city
from kpi_derivation.engine.reads import Reads
from kpi_derivation.engine.view import Part, View


class Kpi(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the catalogue. `unit_status` is verified, secondary or unconfirmed; `parts` are its data points.

    `region`: how a region's value is made of its cities', see REGION_RULES; of several parts with a rule each, all of
    them in the order of the parts.
    """

    code: str
    name: str
    dimension: str
    sub_dimension: str
    category: str
    level: str
    type: str = "unknown"
    unit: str
    unit_status: str
    parts: tuple[str, ...] = ()
    direction: str = ""
    region: tuple[str, ...] = ()
    sdg: tuple[str, ...] = ()
    definition: str
    source: str
    aliases: tuple[str, ...] = ()
    derivable: bool = False
    method: str = ""

    @property
    def code_spaced(self) -> str:
        """The code as the publisher prints it, 'EN: EN: AQ: 1C'."""
        return self.code.replace(":", ": ")


# How a region's value is made of its cities': the sum of the numerators over the sum of the denominators, a sum, the
# highest, the plain mean of the cities' values, none, or a mean weighted by this key of [city].
REGION_RULES = ("ratio", "sum", "maximum", "mean", "none", "population", "households", "area_km2")


class Derivation(msgspec.Struct, frozen=True):
    """How a KPI is derived, and by which method."""

    kpi: Kpi
    method: str
    derive: Callable[[View], list[Part]]


def _rows() -> Iterator[Kpi]:
    lines = (files(__name__) / "u4ssc.csv").read_text(encoding="utf-8").splitlines()
    for row in csv.DictReader(lines):
        lists = {name: tuple(filter(None, row[name].split(";"))) for name in ("aliases", "parts", "region", "sdg")}
        yield msgspec.convert({**row, **lists, "direction": direction_of(row["code"]).better}, Kpi)


def _modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(__path__):
        yield importlib.import_module(f"{__name__}.{found.name}")


def _load() -> tuple[dict[str, Kpi], dict[str, Derivation]]:
    kpis = {kpi.code: kpi for kpi in _rows()}
    derivations: dict[str, Derivation] = {}
    for module in _modules():
        derivation = _derivation(module, kpis)
        kpis[derivation.kpi.code] = derivation.kpi
        derivations[derivation.kpi.code] = derivation
    return kpis, derivations


def _derivation(module: ModuleType, kpis: Mapping[str, Kpi]) -> Derivation:
    plain: Kpi = module.KPI if hasattr(module, "KPI") else kpis[module.CODE]
    region = getattr(module, "REGION", "none")
    if region not in REGION_RULES:
        raise ValueError(f"{module.__name__}: REGION '{region}' is not one of {', '.join(REGION_RULES)}")
    kpi = msgspec.structs.replace(plain, derivable=True, method=module.METHOD, region=(region,))
    return Derivation(kpi, module.METHOD, module.derive)


def add(module: ModuleType) -> Derivation:
    """Add a KPI from a module outside this folder; one with the same code is replaced."""
    reads.cache_clear()
    derivation = _derivation(module, KPIS)
    KPIS[derivation.kpi.code] = derivation.kpi
    DERIVATIONS[derivation.kpi.code] = derivation
    return derivation


@cache
def reads(code: str) -> Reads:
    """What a KPI reads of a city that has every kind of device: the kinds, quantities and keys of the city file."""
    return asked_of_any_city(DERIVATIONS[code].derive)


def region_rule(kpi: Kpi, part: str) -> str:
    """The rule by which a region's value of one data point is made."""
    several = len(kpi.region) > 1 and part in kpi.parts
    return kpi.region[kpi.parts.index(part)] if several else (kpi.region or ("none",))[0]


def local_kpi(code: str, name: str, unit: str, definition: str, category: str) -> Kpi:
    """A row for a local KPI: U4SSC lets a city publish such KPIs beside the 91."""
    return Kpi(
        code=code, name=name, dimension="Local", sub_dimension="Local", category=category, level="local", unit=unit,
        unit_status="verified", definition=definition, source="local KPI of CityVitals",
    )  # fmt: skip


KPIS, DERIVATIONS = _load()


def canonical(code: str) -> str | None:
    """The catalogue code for a code as people write it (spaces, lower case, aliases); None when unknown."""
    wanted = code.replace(" ", "").upper()
    if wanted in KPIS:
        return wanted
    return next((kpi.code for kpi in KPIS.values() if wanted in kpi.aliases), None)
