"""Random sites, stations, meters and outage logs, in random order and with restarts, against SQL."""

from __future__ import annotations

import random
from typing import Any

import pytest

pytest.importorskip("duckdb")

from kpi_derivation.rules.outages import QUANTITIES, as_readings
from telemetry.windows import DAY, MINUTE
from tests.kpi_derivation.golden.world import Reading, World, at
from tests.kpi_derivation.independent import more_sql
from tests.kpi_derivation.independent.sql import Sheet

SEEDS = range(4)
PLACES = (("Europe/Oslo", "2021-03-26"), ("America/New_York", "2021-11-05"), ("UTC", "2020-02-27"),
          ("Australia/Sydney", "2021-10-01"))  # fmt: skip


class Some:
    """A random place and time, and how readings reach the engine and the sheet."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.zone, self.start = PLACES[seed % len(PLACES)]
        self.rows: list[Reading] = []

    def series(self, device: str, quantity: str, minutes: int, low: float, high: float, days: int = 5) -> None:
        keep = self.chance.uniform(0.8, 1.0)
        for t in range(at(self.start), at(self.start) + days * DAY, minutes * MINUTE):
            if self.chance.random() < keep:
                self.rows.append(Reading(t, device, quantity, self.chance.uniform(low, high)))

    def world(self, devices: list[dict[str, Any]], rules: dict[str, Any], **city: Any) -> World:
        w = World(devices, rules, timezone=self.zone, **city)
        mixed = self.chance.sample(self.rows, len(self.rows))
        size = len(mixed) // 3 + 1
        for k in range(0, len(mixed), size):
            w.take(mixed[k : k + size])
            w.engine.evaluate(at("2022-06-01"))
            if self.chance.random() < 0.5:
                w.restart()
        return w

    def sheet(self) -> Sheet:
        found = Sheet(self.zone)
        found.add([(r.time, r.device, r.quantity, r.value) for r in self.rows])
        return found

    def periods(self) -> list[str]:
        day = int(self.start[8:]) + 2 if self.start[8:] < "27" else 28
        return [self.start[:4], f"{self.start[:7]}-{day:02}"]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_noise_of_random_sites(seed: int) -> None:
    some = Some(seed)
    sites = [f"n{i}" for i in range(2)]
    for name in sites:
        some.series(name, "laeq", 20, 35, 85)
    devices = [{"id": n, "kind": "noise", "quantities": ["laeq"], "interval_s": 1200} for n in sites]
    w, sheet = some.world(devices, {"period_capture": 0.0}), some.sheet()
    for period in some.periods():
        expected = [more_sql.lden(sheet, n, period, 20) for n in sites]
        for i, part in enumerate(("lden", "lnight")):
            mean = sum(e[i] for e in expected) / len(sites)
            assert w.value("LOCAL:N:LDEN", period, part).value == pytest.approx(mean, rel=1e-9), period


@pytest.mark.parametrize("seed", SEEDS)
def test_the_air_indices_of_random_stations(seed: int) -> None:
    some = Some(seed)
    top = some.chance.choice((8, 40, 160, 400))
    wanted = {"pm2_5": top / 1.5, "pm10": top, "no2": top / 2}
    for i in range(2):
        for quantity, high in wanted.items():
            some.series(f"s{i}", quantity, 30, 0, high)
    devices = [{"id": f"s{i}", "kind": "air_reference", "quantities": list(wanted), "interval_s": 1800} for i in (0, 1)]
    w, sheet = some.world(devices, {}), some.sheet()
    for period in some.periods():
        bands = [more_sql.european_band(sheet, q, period, 30) for q in wanted]
        assert w.value("LOCAL:AQ:EAQI", period).value == max(bands)
        found = [more_sql.us_index(sheet, q, period, 30) for q in ("pm2_5", "pm10")]
        value = w.value("LOCAL:AQ:USAQI", period)
        if value.value is not None and "no2" not in value.notes.split(";")[0]:
            assert value.value == max(f for f in found if f is not None)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_peak_of_random_meters(seed: int) -> None:
    some = Some(seed)
    minutes = some.chance.choice((15, 30))
    for i in range(3):
        some.series(f"m{i}", "energy_delta", minutes, 0, 2)
    devices = [{"id": f"m{i}", "kind": "electricity_meter", "quantities": ["energy_delta"],
                "interval_s": 60 * minutes} for i in range(3)]  # fmt: skip
    w, sheet = some.world(devices, {}), some.sheet()
    for period in some.periods():
        together, each = more_sql.peak(sheet, period, minutes)
        assert w.value("LOCAL:E:PEAK", period).value == pytest.approx(together, rel=1e-9), period
        assert w.value("LOCAL:E:COINCIDENCE", period).value == pytest.approx(together / each, rel=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_outages_of_random_logs(seed: int) -> None:
    some = Some(seed)
    limit = some.chance.choice((0, 1, 3, 5))
    events = [(at(some.start) + some.chance.randrange(5 * DAY), some.chance.choice((0.5, 1, 2, 3, 4, 5, 6, 90, 2000.5)),
               some.chance.randint(1, 500)) for _ in range(30)]  # fmt: skip
    for key, (t, minutes, customers) in enumerate(events):
        some.rows += [Reading(t, "log", q, v, key + 1) for q, v in as_readings(minutes, customers)]
    log = {"id": "log", "kind": "outage_log", "quantities": list(QUANTITIES)}
    w = some.world([log], {"sustained_interruption_min": limit}, electricity_customers=800.0)
    sheet = Sheet(some.zone)
    sheet.db.execute("CREATE TABLE o (t TIMESTAMPTZ, minutes DOUBLE, customers DOUBLE)")
    for t, minutes, customers in events:
        sheet.db.execute("INSERT INTO o VALUES (to_timestamp(? / 1000.0), ?, ?)", [t, minutes, customers])
    for period in some.periods():
        saifi, caidi, saidi = more_sql.outages(sheet, period, limit, 800)
        assert w.value("EC:I:ES:1C", period).value == pytest.approx(saifi, rel=1e-9)
        assert w.value("EC:I:ES:2C", period).value == (None if caidi is None else pytest.approx(caidi, rel=1e-9))
        assert w.value("LOCAL:ES:SAIDI", period, "all").value == pytest.approx(saidi, rel=1e-9)
