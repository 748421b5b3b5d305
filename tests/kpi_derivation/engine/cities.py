"""Synthetic cities by seed, and how their readings reach the engine: in any order, twice, with restarts between."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.store import SqliteStore
from adapters.store import Store
from gateway.core import Core
from ingest.core import Ingest
from registry.city import City
from telemetry.kpi_value import KpiQuery, KpiValue
from telemetry.partials import Partials
from telemetry.periods import CALENDAR
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import MINUTE
from tests.kpi_derivation.engine.model import Device, Model, Reading

NOW = 1_900_000_000_000  # long after everything
# Where the days begin: at the turn of a year, where clocks change, where hours begin at half past.
PLACES = [
    ("Europe/Oslo", "2018-12-30"), ("Europe/Oslo", "2018-03-24"), ("Europe/London", "2018-10-26"),
    ("Asia/Kolkata", "2019-12-30"), ("America/Los_Angeles", "2021-03-12"), ("Asia/Kathmandu", "2020-02-27"),
    ("UTC", "2020-06-29"), ("Australia/Sydney", "2021-10-01"), ("America/St_Johns", "2021-11-05"),
]  # fmt: skip
KINDS: dict[str, list[tuple[str, ...]]] = {
    "air_reference": [("no2",), ("no2", "pm10")],
    "air_lowcost": [("pm10",), ("pm2_5", "pm10")],
    "electricity_meter": [("energy_delta",), ("energy_total",), ("energy_total", "energy_delta")],
    "ev_charger": [("session_energy",)],
}


class Synthetic(NamedTuple):
    city: City
    readings: list[Reading]
    model: Model


def synthetic(seed: int) -> Synthetic:
    """A city of 1 to 6 devices over 1 to 5 days, with outages, wrong values and changing intervals."""
    dice = random.Random(seed)
    zone, first = PLACES[seed % len(PLACES)]
    start = round(datetime.fromisoformat(first).replace(tzinfo=UTC).timestamp()) * 1000
    hour_capture, period_capture = dice.choice([0.5, 0.75, 0.9]), dice.choice([0.01, 0.25, 0.75])
    devices, readings = [], list[Reading]()
    for number in range(dice.randint(1, 6)):
        kind = dice.choice(sorted(KINDS))
        device = Device(
            f"{kind}-{number}", kind, dice.choice(KINDS[kind]), dice.choice([None, None, 600.0]), dice.randint(1, 3)
        )
        devices.append(device)
        for quantity in (*device.quantities, *(("connected_time",) if kind == "ev_charger" else ())):
            readings += _series(dice, device.id, quantity, start)
    raw = {
        "city": {"id": "syn", "name": "Syn", "country": "NO", "timezone": zone, "population": 1000},
        "rules": {"hour_capture": hour_capture, "period_capture": period_capture},
        "device": [
            {
                "id": d.id, "kind": d.kind, "quantities": list(d.quantities), "connectors": d.connectors,
                **({"interval_s": d.interval_s} if d.interval_s else {}),
            }
            for d in devices
        ],
    }  # fmt: skip
    model = Model(zone, devices, readings, hour_capture, period_capture)
    return Synthetic(City.model_validate(raw), readings, model)


def _series(dice: random.Random, device: str, quantity: str, start: int) -> list[Reading]:
    """Readings of some days; each day at its own interval, with gaps; counters reset now and then."""
    out: dict[tuple[int, int], Reading] = {}
    register = dice.uniform(1, 500)
    event = quantity in ("session_energy", "connected_time")
    for day in range(dice.randint(1, 5)):
        if dice.random() < 0.2:
            continue  # a day of outage
        interval = dice.choice([300, 600, 900, 1800, 3600, 5400])
        t = start + round(timedelta(days=day).total_seconds() + dice.uniform(0, interval)) * 1000
        end = start + (day + 1) * 86_400_000
        while t < end:
            register = dice.uniform(0.1, 3) if dice.random() < 0.02 else register + dice.uniform(0, 2)
            value = round(
                register if quantity == "energy_total" else dice.uniform(-2, 60) if not event else dice.uniform(0, 60),
                3,
            )
            key = dice.randint(1, 3) if event else 0
            out[t, key] = Reading(device, quantity, t, value, key, dice.random() > 0.03)
            pause = interval if dice.random() > 0.1 else interval * dice.randint(2, 8)
            t += round(pause * dice.uniform(0.98, 1.02) if dice.random() < 0.3 else pause) * 1000
    return list(out.values())


def store(core: Core, city: City, readings: Sequence[Reading]) -> None:
    """Readings into a gateway's core."""
    table = core.buffer.table
    ids = [table.id_of(Series(city.id, r.device, r.quantity)) for r in readings]
    columns = zip(*((r.t, r.value, r.key, r.t, int(not r.accepted)) for r in readings), strict=True)
    core.store(Readings.of(ids, *(list(c) for c in columns)) if readings else Readings.of([], [], []), [], 0, 0)


def pending(core: Core) -> Iterator[Partials]:
    """All windows that a gateway has not sent, as many at a time as it takes; confirmed after each."""
    while True:
        dirty, partials = core.pending()
        if not len(dirty.window):
            return
        yield partials
        core.confirm(dirty)


class Feed:
    """Readings into the store through a gateway's buffer, as the running system does it."""

    def __init__(self, folder: Path, city: City) -> None:
        self.path, self.city = folder / "store.db", city
        self._core = Core(Buffer(folder / "gateway.db", MINUTE), [])
        self.restart()

    def restart(self) -> None:
        """A new ingest process on the same store."""
        self.store = self._opened()
        self._ingest = Ingest(self.store)
        self._city = self._ingest.add_city(self.city, MINUTE)

    def _opened(self) -> Store:
        return SqliteStore(self.path)

    def checkpoint(self) -> bool:
        """Store the engine's state, as ingest does when it ends."""
        return self._city.checkpoint()

    @property
    def continued(self) -> bool:
        """Whether the last start took a checkpoint."""
        return self._city.continued

    def give(self, readings: Sequence[Reading], *, twice: bool = False) -> None:
        """Store readings, send their windows, perhaps twice."""
        store(self._core, self.city, readings)
        table, own = self._core.buffer.table, self._ingest.table
        for partials in pending(self._core):
            for _ in range(1 + twice):
                for series in {int(s) for s in partials.series}:
                    mine = partials.take(partials.series == series)
                    mine.series[:] = own.id_of(table[series])
                    self._city.take(mine)

    def touch_everything(self) -> None:
        self._city.touch_everything()

    def derive(self) -> None:
        self._city.derive(NOW)

    def values(self) -> dict[tuple[str, str, str], KpiValue]:
        """(code, part, label) -> value, of all calendar periods."""
        return {
            (v.kpi.code, v.kpi.part, v.kpi.period): v.kpi
            for v in self.store.kpis(KpiQuery(self.city.id, kinds=CALENDAR))
        }


def feed_in_pieces(feed: Feed, readings: list[Reading], dice: random.Random) -> None:
    """In random order and pieces, some of them twice, some windows twice, with restarts and derivations between."""
    rest = dice.sample(readings, len(readings))
    while rest:
        size = dice.choice([1, len(rest) // 3 + 1, len(rest)])
        piece, rest = rest[:size], rest[size:]
        if dice.random() < 0.4:
            piece = piece + dice.sample(readings, min(len(readings), 5))
        feed.give(piece, twice=dice.random() < 0.3)
        if dice.random() < 0.6:
            feed.derive()
            if dice.random() < 0.5:
                feed.restart()
    feed.derive()


def feed_by_days(feed: Feed, readings: list[Reading], dice: random.Random) -> None:
    """Day after day in random order, derived after each: what a day changes in other days must be noticed."""
    days: dict[int, list[Reading]] = {}
    for r in readings:
        days.setdefault(r.t // 86_400_000, []).append(r)
    for day in dice.sample(sorted(days), len(days)):
        feed.give(days[day])
        feed.derive()
        if dice.random() < 0.3:
            feed.restart()
    feed.derive()
