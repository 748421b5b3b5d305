"""A city of 100,000 meters, a reading of each every ten seconds, on one machine with its broker and its sender.

Every second a charging session is reported among them; the time until the year's count of sessions in the store says so
is what a KPI takes from its publish. The year's energy in the store is as late as the time since no more than that was
sent. At the end the gateway has received what was sent, and the year's energy is what
the meters' numbers say by plain arithmetic.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import deque
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tests.chain import Chain
from tests.load.readings import counter, waiting
from tests.load.sender import Message, Sender
from tests.processes import wait_for
from tests.servers import Mosquitto

INTERVAL_S = 10  # between two readings of a meter
_STEP = 0.01  # kWh between two readings of a meter
Parts = dict[str, psutil.Process]
_HEAD = '[city]\nid = "large"\nname = "Large"\ncountry = "NO"\ntimezone = "UTC"\npopulation = 500000\n'
_CHARGER = '[[device]]\nid = "ev"\nkind = "ev_charger"\nquantities = ["session_energy"]\n'


def city_file(folder: Path, devices: int) -> Path:
    """The meters and a charger."""
    meter = '[[device]]\nid = "m{}"\nkind = "electricity_meter"\nquantities = ["energy_total"]\ninterval_s = 10\n'
    path = folder / "city.toml"
    path.write_text(_HEAD + _CHARGER + "".join(meter.format(n) for n in range(devices)), encoding="utf-8")
    return path


def message(devices: int, rate: float) -> Message:
    """Message `number`: every `rate`th is a session of the charger, the others are the meters in turn."""
    every = round(rate)

    def made(number: int) -> tuple[str, bytes]:
        now = time.time()
        sessions, place = divmod(number, every)
        if place == every - 1:
            return "cv/1/large/ev/data", (
                f'[{{"n":"session_energy","u":"kWh","v":1.0,"t":{now:.3f},"key":"{sessions + 1}"}}]'.encode()
            )
        turn, meter = divmod(number - sessions, devices)
        value = 1000 + meter + turn * _STEP
        return (
            f"cv/1/large/m{meter}/data",
            f'[{{"n":"energy_total","u":"kWh","v":{value:.2f},"t":{now:.3f}}}]'.encode(),
        )

    return made


def energy(sent: int, devices: int, rate: float) -> float:
    """kWh of all meters after so many messages: of each the last reading less the first one."""
    readings = sent - sent // round(rate)
    turns, others = divmod(readings, devices)
    return _STEP * (max(turns - 1, 0) * devices + (others if turns else 0))


class Values:
    """The newest values of the year in the store."""

    def __init__(self, store: Path) -> None:
        self._db = sqlite3.connect(f"file:{store}?mode=ro", uri=True, timeout=30)

    def of(self, code: str) -> float:
        """0 where there is none yet."""
        sql = "SELECT value FROM kpi WHERE code=? AND kind='year' ORDER BY time DESC LIMIT 1"
        row = self._db.execute(sql, (code,)).fetchone()
        return float(row[0] or 0.0) if row else 0.0

    def close(self) -> None:
        """Close the file."""
        self._db.close()


class Delays:
    """When each session was published and when the store counted it."""

    def __init__(self, rate: float) -> None:
        self._every = round(rate)
        self._sent: deque[float] = deque()
        self._published = self._stored = 0
        self.seconds: list[float] = []

    def look(self, sent: int, values: Values) -> None:
        """Note the sessions among the `sent` messages, and those that the store counts."""
        now = time.perf_counter()
        while self._published < sent // self._every:
            self._sent.append(now)
            self._published += 1
        if not self._sent:
            return
        counted = round(values.of("LOCAL:EV:SESSIONS"))
        now = time.perf_counter()
        while self._stored < counted and self._sent:
            self.seconds.append(now - self._sent.popleft())
            self._stored += 1

    def summary(self) -> dict[str, float]:
        """How long it took; in a minute as many sessions come as there are seconds."""
        return {"sessions": len(self.seconds)} | _spread("", self.seconds) | _spread("after 60 s, ", self.seconds[60:])

    @property
    def waits_s(self) -> float:
        """How long the oldest session that is not counted waits."""
        return time.perf_counter() - self._sent[0] if self._sent else 0.0


class Lateness:
    """How late the year's energy in the store was, whenever somebody looked: s since no more than that was sent."""

    def __init__(self, devices: int, rate: float) -> None:
        self._devices, self._rate = devices, rate
        self._sent: deque[tuple[float, float]] = deque()  # when, and the energy of what was sent by then
        self.seconds: list[float] = []

    def look(self, sent: int, values: Values) -> None:
        """Note what was sent, and how old what the store has of it is."""
        now = time.perf_counter()
        self._sent.append((now, energy(sent, self._devices, self._rate)))
        stored = values.of("LOCAL:E:METERED") + _STEP / 2
        while len(self._sent) > 1 and self._sent[1][1] <= stored:
            self._sent.popleft()
        if stored > _STEP:
            self.seconds.append(now - self._sent[0][0])


def _spread(what: str, seconds: list[float]) -> dict[str, float]:
    """Median, 99th percentile and the longest."""
    if not seconds:
        return {}
    p50, p99 = np.percentile(seconds, [50, 99]).tolist()
    found = {"p50, s": p50, "p99, s": p99, "max, s": max(seconds)}
    return {what + name: round(value, 2) for name, value in found.items()}


def _memory(parts: Parts) -> dict[str, float]:
    return {f"{name}, MB": round(p.memory_info().rss / 1e6) for name, p in parts.items()}


def _processor_s(parts: Parts) -> dict[str, float]:
    return {name: sum(p.cpu_times()[:2]) for name, p in parts.items()}


def load(
    sender: Sender, path: Path, values: Values, looking: tuple[Delays, Lateness], rate: float, seconds: float,
    parts: Parts,
) -> None:  # fmt: skip
    """Publish at `rate` for so many seconds; a line every half minute."""
    (delays, late), began, first = looking, time.monotonic(), sender.sent
    shown, looked, used = 0.0, 0.0, _processor_s(parts)
    while (passed := time.monotonic() - began) < seconds:
        sender.go_on(first + int(rate * passed))
        if passed - looked > 0.05:
            delays.look(sender.sent, values)
            late.look(sender.sent, values)
            looked = passed
        if passed - shown >= 30:
            now = _processor_s(parts)
            cores = {f"{name}, cores": round((now[name] - used[name]) / (passed - shown), 2) for name in now}
            behind = {"behind": sender.sent - counter(path, "gw_received"), "oldest waits, s": round(delays.waits_s, 1)}
            slowest = {"slowest, s": round(max(delays.seconds[-30:], default=0.0), 2)}
            slowest |= {"energy late, s": round(max(late.seconds[-500:], default=0.0), 2)}
            print(json.dumps({"s": round(passed)} | slowest | behind | cores | _memory(parts)), flush=True)
            shown, used = passed, now


def run(folder: Path, devices: int, seconds: float) -> dict[str, Any]:
    """The load for so long; what was sent, stored and counted, and how long a KPI took."""
    folder.mkdir(parents=True, exist_ok=True)
    rate, store, path = devices / INTERVAL_S, folder / "store.db", folder / "gateway.db"
    with Mosquitto(folder / "broker", extra="log_type error") as broker:
        chain = Chain(folder, city_file(folder, devices), broker.port, f"sqlite:///{store}")
        try:
            for name in ("gateway", "ingest"):
                chain.run(name)
            wait_for(lambda: chain.log("gateway").count("connected to") > 1, 120, "both links of the gateway")
            wait_for(lambda: "connected" in chain.log("ingest"), 120, "ingest")
            parts = {name: psutil.Process(p.pid) for name, p in chain.processes.items()}
            parts["broker"] = psutil.Process(broker.pid)
            parts["sender"] = psutil.Process()
            sender = Sender(broker.port, message(devices, rate))
            with closing(Values(store)) as values:
                delays, late = Delays(rate), Lateness(devices, rate)
                load(sender, path, values, (delays, late), rate, seconds, parts)
                expected = energy(sender.sent, devices, rate)
                sender_ends(sender, path, delays, values)
                with suppress(AssertionError):  # what is missing shows in what is printed
                    wait_for(lambda: abs(values.of("LOCAL:E:METERED") - expected) < 0.005, 120, "the year's energy")
                found = {"kWh": values.of("LOCAL:E:METERED"), "kWh by arithmetic": round(expected, 2)}
            counts = {name: counter(path, name) for name in ("gw_received", "gw_stored")}
            times = delays.summary() | _spread("energy late, ", late.seconds)
            return {"devices": devices, "sent": sender.sent} | counts | times | found | _memory(parts)
        finally:
            chain.stop()


def sender_ends(sender: Sender, path: Path, delays: Delays, values: Values) -> None:
    """Wait until all that was sent is acknowledged, received, counted and confirmed by the store."""

    def done() -> bool:
        sender.go_on(sender.sent)
        delays.look(sender.sent, values)
        return counter(path, "gw_received") >= sender.sent and not delays.waits_s and not waiting(path)

    wait_for(done, 300, "all to be stored")
