"""A steady load at a share of what the chain can take: does memory stay flat, does the lag stay small?

What the programs keep in memory is bounded by time (ingest: the windows of the last two hours), so a run that begins
with nothing would only see it fill. The store gets the hours before first; then the limit is measured with gateway and
ingest both keeping up for two minutes, because a limit of a few seconds only fills queues.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from adapters.sqlite.store import SqliteStore
from ingest.core import Ingest
from registry.config import load_city
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import DAY, HOUR, MINUTE
from tests.bench.blast import reading
from tests.chain import Chain
from tests.load.readings import counter, waiting
from tests.load.sender import Message, Sender
from tests.processes import wait_for
from tests.servers import Mosquitto

_DEVICES = 500
_AHEAD = 5000  # messages the gateway may be behind, and windows ingest may be, while the limit is measured
_WARM_S, _SPANS, _SPAN_S = 10.0, 12, 10.0  # the limit is what the slowest of these spans took
_BEFORE = 2 * HOUR + 15 * MINUTE  # what ingest keeps in memory at most


def message(start: int) -> Message:
    """Readings of 500 devices from `start` (ms) on, each a second of their time apart."""

    def made(number: int) -> tuple[str, bytes]:
        device, second = number % _DEVICES, start // 1000 + number // _DEVICES
        return f"cv/1/load/d{device}/data", reading(device, second)

    return made


def city_file(folder: Path) -> Path:
    """A city of 500 stations."""
    devices = "".join(
        f'[[device]]\nid = "d{n}"\nkind = "air_reference"\nquantities = ["pm2_5", "pm10"]\ninterval_s = 10\n'
        for n in range(_DEVICES)
    )
    path = folder / "city.toml"
    path.write_text(f'[city]\nid = "load"\nname = "Load"\ncountry = "NO"\ntimezone = "Europe/Oslo"\n{devices}')
    return path


def fill(store: SqliteStore, city: Path, start: int) -> None:
    """The windows of the hours before `start` (ms), as ingest would have stored them."""
    ingest = Ingest(store)
    ingest.add_city(load_city(city), MINUTE)
    names = [Series("load", f"d{n}", q) for n in range(_DEVICES) for q in ("pm2_5", "pm10")]
    ids = np.array([ingest.table.id_of(name) for name in names])
    for begin in range(start - _BEFORE, start, 15 * MINUTE):
        t = np.repeat(np.arange(begin, begin + 15 * MINUTE, MINUTE // 4), len(ids))
        values = Readings.of(np.resize(ids, len(t)), t, 8.0 + t // 1000 % 10 / 10)
        ingest.take("load", fold(values, MINUTE, ingest.table.modulus(values.series)))
    ingest.derive(start)
    store.close()


def measure_limit(sender: Sender, path: Path) -> tuple[float, float]:
    """Messages a second that gateway and ingest both keep up with: in the slowest ten seconds, and on average.

    A shared machine is a third slower for a minute now and then; at a share of the average the queues fill meanwhile.
    """
    began, looked, held = time.monotonic(), 0.0, False
    marks: list[tuple[float, int]] = []
    while len(marks) <= _SPANS:
        passed = time.monotonic() - began
        if passed - looked > 0.1:
            taken, looked = counter(path, "gw_received"), passed
            held = sender.sent - taken > _AHEAD or waiting(path) > _AHEAD
            if passed >= _WARM_S + _SPAN_S * len(marks):
                marks.append((passed, taken))
        sender.go_on(0 if held else sender.sent + 500)
    seconds, counts = np.diff(np.array(marks), axis=0).T
    return float((counts / seconds).min()), float(counts.sum() / seconds.sum())


def load(sender: Sender, path: Path, rate: float, seconds: float, sample: Callable[[], dict[str, float]]) -> list[Any]:
    """Publish at `rate` for that long; every ten seconds the mean of ten samples: arrays come and go by the second."""
    began, first, samples = time.monotonic(), sender.sent, list[Any]()
    taken: list[dict[str, float]] = []
    while (passed := time.monotonic() - began) < seconds:
        sender.go_on(first + round(rate * passed))
        if passed >= 10 * len(samples) + len(taken) + 1:
            taken.append(sample())
        if len(taken) == 10:
            behind = round(first + rate * passed) - counter(path, "gw_received")
            means = {name: round(float(np.mean([one[name] for one in taken])), 1) for name in taken[0]}
            samples.append({"s": round(passed), "behind": behind, "windows": waiting(path)} | means)
            taken.clear()
            print(json.dumps(samples[-1]), flush=True)
    return samples


def run(folder: Path, seconds: float, share: float = 0.8) -> dict[str, Any]:
    """Measure the limit, then load at `share` of it; samples every ten seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(folder / "broker", extra="log_type error")
    city, path, start = city_file(folder), folder / "gateway.db", int(time.time()) // 60 * MINUTE - DAY
    chain = Chain(folder, city, broker.port, f"sqlite:///{folder}/store.db")
    fill(SqliteStore(folder / "store.db"), city, start)
    broker.start()
    try:
        for name in ("gateway", "ingest"):
            chain.run(name)
            wait_for(lambda name=name: "connected" in chain.log(name), 30, name)  # type: ignore[misc]
        sender = Sender(broker.port, message(start))
        limit, mean = measure_limit(sender, path)
        print(f"limit {limit:.0f} messages/s, {mean:.0f} on average; {share:.0%} of it follow", flush=True)
        parts = {name: psutil.Process(p.pid) for name, p in chain.processes.items()}
        parts["broker"] = psutil.Process(broker.pid)

        def memory() -> dict[str, float]:
            return {name: p.memory_info().rss / 1e6 for name, p in parts.items()}

        samples = load(sender, path, share * limit, seconds, memory)
        return {"limit": round(limit), "mean": round(mean), "rate": round(share * limit), "samples": samples}
    finally:
        chain.stop()
        broker.stop()
