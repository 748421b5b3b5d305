"""A gateway and an ingest that know very many series: memory a series, and how long they take to start."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from registry.config import load_city
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import HOUR, MINUTE
from tests.chain import Chain
from tests.processes import wait_for
from tests.servers import Mosquitto

QUANTITIES = (
    "pm2_5", "pm10", "no2", "o3", "so2", "co", "temperature", "humidity", "pressure", "co2",
)  # fmt: skip
_AT_ONCE = 100_000  # series


def city_file(folder: Path, devices: int) -> Path:
    """Stations with ten quantities each."""
    head = '[city]\nid = "known"\nname = "Known"\ncountry = "NO"\ntimezone = "UTC"\n'
    names = ", ".join(f'"{name}"' for name in QUANTITIES)
    station = '[[device]]\nid = "s{}"\nkind = "air_lowcost"\nquantities = [' + names + "]\n"
    path = folder / "city.toml"
    path.write_text(head + "".join(station.format(n) for n in range(devices)), encoding="utf-8")
    return path


def fill(folder: Path, city: Path, devices: int, now: int) -> None:
    """A reading of each series, an hour old, in the gateway's file and the store."""
    buffer, ingest = Buffer(folder / "gateway.db", MINUTE), Ingest(SqliteStore(folder / "store.db"))
    ingest.add_city(load_city(city), MINUTE)
    names = [Series("known", f"s{n}", quantity) for n in range(devices) for quantity in QUANTITIES]
    for at in range(0, len(names), _AT_ONCE):
        some = names[at : at + _AT_ONCE]
        buffer.put(_readings(buffer.table, some, now), np.ones(len(some), dtype=np.bool_))
        readings = _readings(ingest.table, some, now)
        ingest.take("known", fold(readings, MINUTE, ingest.table.modulus(readings.series)))
    ingest.derive(now)
    ingest.checkpoint()
    ingest.store.close()
    buffer.close()


def _readings(table: SeriesTable, names: list[Series], now: int) -> Readings:
    ids = np.array([table.id_of(name) for name in names])
    return Readings.of(ids, np.full(len(ids), now - HOUR), np.full(len(ids), 8.0))


def _is_connected(chain: Chain, name: str) -> bool:
    return "connected" in chain.log(name)


def run(folder: Path, devices: int) -> dict[str, Any]:
    """Seconds to the first connection and MB of both, with and without the series; bytes a series."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {"devices": devices, "series": devices * len(QUANTITIES)}
    for number in (0, devices):
        place = folder / f"of-{number}"
        place.mkdir()
        city = city_file(place, number)
        fill(place, city, number, time.time_ns() // 1_000_000)
        with Mosquitto(place / "broker") as broker:
            chain = Chain(place, city, broker.port, f"sqlite:///{place}/store.db")
            try:
                for name in ("gateway", "ingest"):
                    began = time.monotonic()
                    process = psutil.Process(chain.run(name).pid)
                    wait_for(partial(_is_connected, chain, name), 600, name)
                    seconds, used = time.monotonic() - began, sum(process.cpu_times()[:2])
                    found[f"{name} of {number}"] = {
                        "s": round(seconds, 1), "s CPU": round(used, 1), "MB": process.memory_info().rss >> 20,
                    }  # fmt: skip
            finally:
                chain.stop()
    for name in ("gateway", "ingest"):
        more = found[f"{name} of {devices}"]["MB"] - found[f"{name} of 0"]["MB"]
        found[f"{name}, bytes a series"] = round(more * 2**20 / found["series"])
    return found
