"""From publish to the KPI in the store: gateway and ingest as processes, a known sum that grows with each message."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import psutil

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from tests.chain import chain
from tests.processes import wait_for
from tests.servers import Mosquitto

CITY = """
[city]
id = "bench"
name = "Bench"
country = "NO"
timezone = "UTC"
population = 1000
"""
METERS = 50


def city_file(path: Path) -> Path:
    """A charger whose sessions are timed, and meters as background load."""
    devices = ['[[device]]\nid = "ev"\nkind = "ev_charger"\nquantities = ["session_energy"]\n']
    devices += [
        f'[[device]]\nid = "m-{i}"\nkind = "electricity_meter"\nquantities = ["energy_total"]\n' for i in range(METERS)
    ]
    path.write_text(CITY + "\n".join(devices), encoding="utf-8")
    return path


def run(folder: Path, samples: int) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Latency percentiles, and the resident memory of each process in MB."""
    store = folder / "store.db"
    with (
        Mosquitto(folder / "mosquitto") as broker,
        chain(folder / "chain", city_file(folder / "city.toml"), broker.port, f"sqlite:///{store}") as running,
    ):
        running.run("api")
        link = Link(Broker("127.0.0.1", broker.port), "bench-latency", session=False)
        wait_for(lambda: link.receive(0.1) is not None and link.connected, 10, "the broker")
        wait_for(
            lambda: "connected" in running.log("ingest") and "connected" in running.log("gateway"), 30, "the chain"
        )
        seconds = [_sample(link, store, number + 1) for number in range(samples)]
        link.close()
        memory = {name: psutil.Process(p.pid).memory_info().rss / 2**20 for name, p in running.processes.items()}
    p50, p99 = np.percentile(seconds, [50, 99])
    row = {"what": "publish to KPI in the store", "samples": samples, "p50_s": float(p50), "p99_s": float(p99)}
    return [row | {"max_s": max(seconds)}], memory


def _sample(link: Link, store: Path, number: int) -> float:
    """Seconds from the publish of session `number` until the year's count of sessions says so."""
    now = time.time()
    for meter in range(METERS):
        record = [{"n": "energy_total", "u": "kWh", "v": 1000 + number * 0.01 + meter, "t": round(now, 3)}]
        link.publish(f"cv/1/bench/m-{meter}/data", msgspec.json.encode(record))
    session = [{"n": "session_energy", "u": "kWh", "v": 1.0, "t": round(now, 3), "key": str(number)}]
    began = time.perf_counter()
    link.publish("cv/1/bench/ev/data", msgspec.json.encode(session))
    while _sessions(store) < number:
        link.receive(0.005)
        if time.perf_counter() - began > 60:
            raise RuntimeError("a session did not arrive within a minute")
    return time.perf_counter() - began


def _sessions(store: Path) -> float:
    if not store.exists():
        return 0.0
    with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as db:
        try:
            rows = db.execute(
                "SELECT value FROM kpi WHERE code='LOCAL:EV:SESSIONS' AND kind='year' ORDER BY time DESC LIMIT 1"
            ).fetchall()
        except sqlite3.OperationalError:
            return 0.0
    return float(rows[0][0] or 0.0) if rows else 0.0
