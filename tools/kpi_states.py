"""docs/kpi-states.md: every derived KPI in six states of its data, from a scripted city. `--check`: only compare.

The city has hourly data of all kinds of devices. `whole`: of 2023; `part`: of January of 2024 only; `nothing`: 2021,
before all data; `zero`: 2023 with readings of nothing (0, no event); `stale`: 24 hours after 27 without data; `future`.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from kpi_derivation.catalogue import DERIVATIONS, reads
from kpi_derivation.engine.reads import DATA
from telemetry.kpi_value import KpiValue
from telemetry.quantities import DERIVED_FROM
from telemetry.windows import DAY, HOUR, MINUTE
from tests.kpi_derivation.golden.world import Reading, World
from tools.generated import generated

PAGE = Path(__file__).parents[1] / "docs" / "kpi-states.md"
STATES = ("whole", "part", "nothing", "zero", "stale", "future")
STAGES = {"collected": 1.0, "primary": 0.9, "secondary": 0.8, "tertiary": 0.5}
WAYS = ("landfill", "burnt", "incinerated", "open dump", "recycled", "other")
AIR = ("pm2_5", "pm10", "no2", "so2", "o3")
CITY = {
    "population": 1000.0, "households": 400.0, "electricity_customers": 500.0, "electricity_meters": 3.0,
    "water_meters": 1.0, "emission_factor_kg_per_kwh": 0.4, "renewable_grid_share": 0.3,
    "public_building_area_m2": 100.0,
    "passenger_vehicles": 100.0, "low_carbon_vehicles": 20.0, "households_with_electricity": 399.0,
    "demand_response_customers": 10.0, "electricity_network_km": 10.0, "electricity_monitored_km": 5.0,
    "water_network_km": 10.0, "water_monitored_km": 5.0, "available_freshwater_m3_per_year": 50_000.0,
    "antenna_sites": 1.0, "major_streets_km": 10.0,
}  # fmt: skip
DEVICES: list[dict[str, Any]] = [
    {"id": "air", "kind": "air_reference", "quantities": list(AIR), "interval_s": 3600},
    {"id": "use", "kind": "electricity_meter", "quantities": ["energy_delta"], "interval_s": 3600},
    {"id": "sun", "kind": "electricity_meter", "role": "generation", "interval_s": 3600,
     "quantities": ["energy_delta", "energy_export_total"]},
    {"id": "hall", "kind": "electricity_meter", "role": "public_building", "quantities": ["energy_delta"],
     "interval_s": 3600},
    {"id": "heat", "kind": "heat_meter", "quantities": ["heat_total"], "interval_s": 3600},
    {"id": "in", "kind": "water_meter", "role": "supply", "quantities": ["water_total"], "interval_s": 3600},
    {"id": "tap", "kind": "water_meter", "quantities": ["water_total"], "interval_s": 3600},
    {"id": "ev", "kind": "ev_charger", "quantities": ["session_energy", "connector_state"], "interval_s": 3600},
    {"id": "ear", "kind": "noise", "population": 50, "quantities": ["laeq"], "interval_s": 3600},
    {"id": "probe", "kind": "water_quality", "quantities": ["ph"], "interval_s": 3600},
    {"id": "well", "kind": "water_abstraction", "quantities": ["water_total"], "interval_s": 3600},
    *({"id": f"plant-{stage}", "kind": "wastewater_meter", "role": stage, "quantities": ["water_total"],
       "interval_s": 3600} for stage in STAGES),
    *({"id": f"scale-{way.replace(' ', '-')}", "kind": "weighbridge", "role": way, "quantities": ["waste_mass"]}
      for way in WAYS),
    {"id": "mast", "kind": "emf_probe", "quantities": ["field_strength"], "interval_s": 3600},
    {"id": "loop", "kind": "traffic_counter", "street_km": 5.0, "interval_s": 3600,
     "quantities": ["vehicles", "vehicles_classified", "vehicles_low_carbon", "vehicles_electric"]},
    {"id": "road", "kind": "travel_time", "quantities": ["travel_time"], "interval_s": 3600},
    {"id": "log", "kind": "outage_log", "since": "2023-01-01", "until": "2024-01-31",
     "quantities": ["interrupted_over_5min", "interruption_over_5min"]},
]  # fmt: skip
START, END = (round(datetime(*d, tzinfo=UTC).timestamp() * 1000) for d in ((2023, 1, 1), (2024, 2, 1)))


@cache
def others() -> dict[str, dict[str, Any]]:
    """By quantity, a device for each KPI that reads only what no device above has: a new KPI needs no entry here."""
    listed = {quantity for device in DEVICES for quantity in device["quantities"]}
    listed |= {target for target, sources in DERIVED_FROM.items() if listed & set(sources)}
    found: dict[str, dict[str, Any]] = {}
    for code in DERIVATIONS:
        data = [fact for fact in reads(code) if fact[0] in DATA and len(fact) > 2]
        if data and not listed & {quantity for _, quantity, *_ in data}:
            _, quantity, kind, *_ = data[0]
            found[quantity] = {"id": f"other-{quantity}", "kind": kind, "quantities": [quantity], "interval_s": 3600}
    return found


States = dict[str, dict[tuple[str, str], KpiValue]]  # of every KPI and part, by state


def readings(factor: float) -> list[Reading]:
    """Hourly readings from START to END; `factor` 0 makes them readings of nothing."""
    rows: list[Reading] = []
    for i, t in enumerate(range(START, END, HOUR)):
        rows += [Reading(t, "air", q, factor * (10.0 + i % 7)) for q in AIR]
        rows += [Reading(t, d, "energy_delta", factor * v) for d, v in (("use", 2.0), ("sun", 0.5), ("hall", 1.0))]
        rows.append(Reading(t, "sun", "energy_export_total", 100.0 + factor * 0.1 * i))
        rows += [Reading(t, "heat", "heat_total", 100.0 + factor * i), Reading(t, "ear", "laeq", 55.0 + factor)]
        rows += [Reading(t, d, "water_total", 100.0 + factor * v * i) for d, v in (("in", 1.0), ("tap", 0.9))]
        rows.append(Reading(t, "ev", "connector_state", 0.0))
        rows += [Reading(t, "probe", "ph", factor * 7.0), Reading(t, "mast", "field_strength", factor * 3.0)]
        rows += [Reading(t, f"plant-{s}", "water_total", 100.0 + factor * v * i) for s, v in STAGES.items()]
        rows.append(Reading(t, "well", "water_total", 100.0 + factor * i))
        counts = (("vehicles", 90.0), ("vehicles_classified", 80.0), ("vehicles_low_carbon", 20.0),
                  ("vehicles_electric", 12.0))  # fmt: skip
        rows += [Reading(t, "loop", q, factor * v) for q, v in counts]
        rows.append(Reading(t, "road", "travel_time", factor * (150.0 if i % 24 in (7, 8, 16, 17) else 100.0)))
        rows += [Reading(t, device["id"], quantity, factor * 10.0) for quantity, device in others().items()]
        if i % 24 == 8:
            rows += [Reading(t, f"scale-{w.replace(' ', '-')}", "waste_mass", factor * 2.0) for w in WAYS]
    if factor:
        for t in range(START + 8 * HOUR, END, DAY):
            rows += [Reading(t, "ev", "session_energy", 10.0), Reading(t, "ev", "connected_time", 3600.0)]
        rows += [
            Reading(START + 5 * DAY, "log", q, v)
            for q, v in (("interrupted_over_5min", 100.0), ("interruption_over_5min", 6000.0))
        ]
    return rows


def found() -> States:
    """The values of every KPI and part, by state."""
    made: dict[float, World] = {}
    for factor in (1.0, 0.0):
        made[factor] = World([*DEVICES, *others().values()], {}, **CITY)
        made[factor].take(readings(factor))
    now = END + 27 * HOUR + 10 * MINUTE
    world = made[1.0]
    world.engine.evaluate(now)
    rolling = next(p for p in world.engine.rolling(now) if p.kind == "24h")
    later = END + 400 * DAY
    return {
        "whole": world.values("2023", later), "part": world.values("2024", later),
        "nothing": world.values("2021", later),
        "zero": made[0.0].values("2023", later),
        "stale": {(v.code, v.part): v for v in world.engine.derive(rolling, now)},
        "future": world.values("2030", later),
    }  # fmt: skip


def cell(v: KpiValue) -> str:
    """Value, coverage and state, and the reason where there is one."""
    number = "-" if v.value is None else f"{v.value:.4g}"
    return f"{number}, {100 * v.coverage:.0f} %, {v.status}" + (f" ({v.reason})" if v.reason else "")


def page(states: States | None = None) -> str:
    """The whole page, of these states; by default of those that are found."""
    states = found() if states is None else states
    lines = [
        "# The state of each KPI by its data", "",
        "Value, coverage, state (and reason) of every derived KPI, from a scripted city; made by",
        "`python -m tools.kpi_states`.",
        "Whole: hourly data of the year. Part: of January only. Nothing: a year before all data. Zero: a year in which",
        "everything was read and nothing happened. Stale: the rolling 24 hours, 27 hours after the last reading.", "",
        "| KPI | " + " | ".join(STATES) + " |", "|--" * (len(STATES) + 1) + "|",
    ]  # fmt: skip
    for code, part in states["whole"]:
        if code in DERIVATIONS:
            name = f"{code} {part}".strip()
            lines.append(f"| {name} | " + " | ".join(cell(states[s][code, part]) for s in STATES) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(generated(PAGE, page, sys.argv[1:]))
