"""Three days of readings arrive at once: how long a live reading takes to its KPI meanwhile, over real processes.

A meter counts one kWh a reading, so the published energy of the year says which of its readings it holds.
"""

from __future__ import annotations

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, wait
from telemetry.windows import DAY, MINUTE
from tests.bench.blast import packet
from tests.chain import Chain
from tests.load.readings import received, waiting
from tests.processes import wait_for
from tests.servers import Mosquitto

_PACK = 200  # readings a message
_PAUSE = 0.2  # seconds between two live readings


def _city(folder: Path, devices: int) -> Path:
    stations = "".join(
        f'[[device]]\nid = "d{n}"\nkind = "air_reference"\nquantities = ["no2"]\ninterval_s = 60\n'
        for n in range(devices)
    )
    path = folder / "city.toml"
    path.write_text(
        '[city]\nid = "load"\nname = "Load"\ncountry = "NO"\ntimezone = "Europe/Oslo"\npopulation = 1000\n'
        "[rules]\nhour_capture = 0.0\nperiod_capture = 0.0\n"
        '[[device]]\nid = "live"\nkind = "electricity_meter"\nquantities = ["energy_total"]\ninterval_s = 60\n'
        + stations
    )
    return path


def _packets(devices: int, days: float, now: int) -> list[bytes]:
    """The backlog: a reading a minute and device, devices in turn."""
    out: list[bytes] = []
    for start in range(now - round(days * DAY), now - MINUTE, _PACK * MINUTE):
        times = range(start, min(start + _PACK * MINUTE, now - MINUTE), MINUTE)
        for device in range(devices):
            body = ",".join(
                f'{{"n":"no2","u":"ug/m3","t":{t / 1000},"v":{(t // MINUTE + device) % 60}}}' for t in times
            )
            out.append(packet(f"cv/1/load/d{device}/data", f"[{body}]".encode(), len(out) % 65535 + 1))
    return out


def _blast(port: int, packets: list[bytes]) -> None:
    """Hand it all to the broker as fast as it takes it."""
    link = socket.create_connection(("127.0.0.1", port))
    link.sendall(b"\x10\x13\x00\x04MQTT\x04\x02\x00\x3c\x00\x07backlog")
    link.recv(4)
    answers = threading.Thread(target=_swallow, args=(link, 4 * len(packets)))
    answers.start()
    for one in packets:
        link.sendall(one)
    answers.join()
    link.close()


def _swallow(link: socket.socket, count: int) -> None:
    """Read that many bytes; a broker that hangs up ends it too, and the readings that are missing then are noticed."""
    while count > 0 and (data := link.recv(65536)):
        count -= len(data)


class Live:
    """The meter, and the reader of the published energy."""

    def __init__(self, port: int) -> None:
        self._link = Link(Broker("127.0.0.1", port), "live", ["cv/1/load/kpi/LOCAL:E:METERED/#"], session=False)
        self._sent: list[float] = []
        self._seen = 0
        self.latencies: list[tuple[float, float]] = []  # when it was sent, how long it took; s
        self._next = 0.0

    def step(self) -> None:
        """Send what is due; note which readings the KPI holds by now."""
        now = time.monotonic()
        if self._link.connected and now >= self._next:
            self._next = now + _PAUSE
            body = f'[{{"n":"energy_total","u":"kWh","t":{time.time()},"v":{1000 + len(self._sent)}}}]'
            self._link.publish("cv/1/load/live/data", body.encode())
            self._sent.append(now)
        wait([self._link], 0.02)
        for message in (batch := self._link.received()):
            value = json.loads(message.payload).get("year", {}).get("value") or 0.0
            held = round(value) + 1
            came = time.monotonic()
            self.latencies += [(sent, came - sent) for sent in self._sent[self._seen : held]]
            self._seen = max(self._seen, held)
        self._link.ack(batch)

    @property
    def open(self) -> int:
        """Readings that no KPI holds yet."""
        return len(self._sent) - self._seen

    def close(self) -> None:
        """Disconnect."""
        self._link.close()


def run(folder: Path, devices: int = 100, days: float = 3.0) -> dict[str, Any]:
    """Live readings before, while and after the backlog of all devices is derived; seconds."""
    broker = Mosquitto(folder / "broker", extra="log_type error")
    chain = Chain(folder, _city(folder, devices), broker.port, f"sqlite:///{folder}/store.db")
    path = folder / "gateway.db"
    broker.start()
    try:
        for name in ("gateway", "ingest"):
            chain.run(name)
            wait_for(lambda name=name: "connected" in chain.log(name), 30, name)  # type: ignore[misc]
        live = Live(broker.port)
        while len(live.latencies) < 20:
            live.step()
        packets = _packets(devices, days, time.time_ns() // 1_000_000)
        total = devices * (round(days * 1440) - 1)
        blast = threading.Thread(target=_blast, args=(broker.port, packets))
        began = time.monotonic()
        blast.start()
        looked, taken = began, 0.0
        while True:
            live.step()
            if (now := time.monotonic()) - looked > 0.5:
                looked, stored = now, received(path, "load")
                taken = taken or (now - began if stored >= total else 0.0)
                if taken and waiting(path) < 100:
                    break
                assert now - began < 600, f"{stored} of {total} readings after 10 minutes"
        derived = time.monotonic() - began
        blast.join()
        while live.open > 3:
            live.step()
        live.close()
        during = np.array([took for sent, took in live.latencies if began <= sent <= began + derived])
        quiet = np.array([took for sent, took in live.latencies if sent < began])
        return {
            "readings": total, "taken_s": round(taken, 1), "derived_s": round(derived, 1), "live": len(during),
            "before_p50_s": _share(quiet, 50), "during_p50_s": _share(during, 50), "during_p99_s": _share(during, 99),
            "during_max_s": _share(during, 100),
        }  # fmt: skip
    finally:
        chain.stop()
        broker.stop()


def _share(seconds: np.ndarray[Any, Any], percent: int) -> float:
    return round(float(np.percentile(seconds, percent)), 2)
