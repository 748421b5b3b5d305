"""Random cities: late, repeated, unordered readings and restarts, against SQL. CITYVITALS_LONG=1 tries 200."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

pytest.importorskip("duckdb")

from telemetry.windows import DAY, MINUTE
from tests.kpi_derivation.golden.world import Reading, World, at
from tests.kpi_derivation.independent.sql import Sheet, bounds

ZONES = ("UTC", "Europe/Oslo", "America/New_York", "Australia/Sydney", "Africa/Lagos", "Europe/London")
STARTS = ("2021-03-20", "2021-10-20", "2021-12-20", "2020-02-25", "2021-06-28")
CITIES = 200 if os.environ.get("CITYVITALS_LONG") == "1" else 10


class City:
    """A random city: its devices, its readings, and how they come in."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.zone, self.start = self.chance.choice(ZONES), self.chance.choice(STARTS)
        self.minutes = self.chance.choice((10, 20, 30, 60))
        self.capture = self.chance.choice((0.3, 0.5, 0.75))
        self.population = self.chance.randint(100, 10**6)
        self.devices: list[dict[str, Any]] = []
        self.rows: list[Reading] = []
        for number in range(self.chance.randint(1, 4)):
            self._device(f"a{number}", "air_reference", ["no2", "pm10"])
            self._device(f"d{number}", "electricity_meter", ["energy_delta"])
            self._device(f"t{number}", "electricity_meter", ["energy_total"])
            self._device(f"w{number}", "water_meter", ["water_total"])

    def _device(self, name: str, kind: str, quantities: list[str]) -> None:
        self.devices.append({"id": name, "kind": kind, "quantities": quantities, "interval_s": 60 * self.minutes})
        keep = self.chance.uniform(0.5, 1.0)
        for quantity in quantities:
            total = self.chance.uniform(1, 1000)
            for t in range(at(self.start), at(self.start) + 14 * DAY, self.minutes * MINUTE):
                total = total + self.chance.random() if self.chance.random() > 0.001 else 0.1
                if self.chance.random() < keep:
                    value = total if quantity.endswith("_total") else self.chance.uniform(0, 80)
                    self.rows.append(Reading(t, name, quantity, value))

    def of(self, prefix: str) -> list[str]:
        return [d["id"] for d in self.devices if d["id"].startswith(prefix)]

    def world(self) -> World:
        """The readings in random order and portions, some twice, with evaluations and restarts between."""
        w = World(self.devices, {"period_capture": self.capture}, timezone=self.zone, population=self.population)
        mixed = self.chance.sample(self.rows, len(self.rows))
        size = len(mixed) // self.chance.randint(1, 5) + 1
        for k in range(0, len(mixed), size):
            w.take(mixed[k : k + size])
            w.engine.evaluate(at("2022-06-01"))
            w.memory.put("hour", w.engine.absorb(w.memory.levels["window"].take(slice(0, 500))))  # again
            if self.chance.random() < 0.5:
                w.restart()
        return w


@pytest.mark.parametrize("seed", range(CITIES))
def test_a_random_city_is_what_sql_says(seed: int) -> None:
    city = City(seed)
    w, sheet = city.world(), Sheet(city.zone)
    sheet.add([(r.time, r.device, r.quantity, r.value) for r in city.rows])
    first = city.start
    for period in (first[:4], first[:7], sheet.ask(f"SELECT (DATE '{first}' + 3)::TEXT")[0][0]):
        for quantity in ("no2", "pm10"):
            expected = sheet.air(quantity, city.of("a"), period, city.minutes, city.capture)
            value = w.value("EN:EN:AQ:1C", period, quantity).value
            assert value == (None if expected is None else pytest.approx(expected, rel=1e-9))
        energy = sheet.total("energy_delta", city.of("d"), period) + sheet.steps("energy_total", city.of("t"), period)
        assert w.value("LOCAL:E:METERED", period).value == pytest.approx(energy, rel=1e-9, abs=1e-9)
        water, used = w.value("EN:EN:WS:2C", period).value, sheet.steps("water_total", city.of("w"), period)
        if water is not None:
            zoned = f"?::TIMESTAMP AT TIME ZONE '{city.zone}'"
            [(days,)] = sheet.ask(f"SELECT epoch(({zoned}) - ({zoned})) / 86400", *reversed(bounds(period)))
            assert water == pytest.approx(1000 * used / days / city.population, rel=1e-9)
