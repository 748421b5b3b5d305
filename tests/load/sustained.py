"""A steady load at a share of what the chain can take: does memory stay flat, does the lag stay small?"""

from __future__ import annotations

import json
import select
import socket
import time
from pathlib import Path
from typing import Any

import psutil

from cityvitals.config import load_city
from tests.bench.blast import packet, reading
from tests.chain import Chain
from tests.load.readings import counter
from tests.processes import wait_for
from tests.servers import Mosquitto

_PROBE = 30_000


class Sender:
    """Publishes at a given rate; readings of 500 devices, each ten seconds of their time apart."""

    def __init__(self, port: int) -> None:
        self._link = socket.create_connection(("127.0.0.1", port))
        self._link.sendall(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04load")
        self._link.recv(4)
        self._link.setblocking(False)
        self.sent = self.acked = 0
        self._start = int(time.time()) - 86_400
        self._buffer = b""

    def go_on(self, allowed: int) -> None:
        """Send up to `allowed` messages in all, no more than 2,000 ahead of the acknowledgements."""
        while self.sent < allowed and self.sent - self.acked < 2000 and len(self._buffer) < 200_000:
            device, second = self.sent % 500, self._start + self.sent // 500
            topic = f"cv/1/load/d{device}/data"
            self._buffer += packet(topic, reading(device, second), self.sent % 65535 + 1)
            self.sent += 1
        readable, writable, _ = select.select([self._link], [self._link] if self._buffer else [], [], 0.01)
        if writable:
            self._buffer = self._buffer[self._link.send(self._buffer) :]
        if readable:
            self.acked += len(self._link.recv(65536)) // 4


def _city(folder: Path) -> Path:
    devices = "".join(
        f'[[device]]\nid = "d{n}"\nkind = "air_reference"\nquantities = ["pm2_5", "pm10"]\ninterval_s = 10\n'
        for n in range(500)
    )
    path = folder / "city.toml"
    path.write_text(f'[city]\nid = "load"\nname = "Load"\ncountry = "NO"\ntimezone = "Europe/Oslo"\n{devices}')
    load_city(path)
    return path


def run(folder: Path, seconds: float, share: float = 0.8) -> dict[str, Any]:
    """Measure the limit, then load at `share` of it; samples every ten seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(folder / "broker", extra="log_type error")
    chain = Chain(folder, _city(folder), broker.port, f"sqlite:///{folder}/store.db")
    path = folder / "gateway.db"
    broker.start()
    try:
        for name in ("gateway", "ingest"):
            chain.run(name)
            wait_for(lambda name=name: "connected" in chain.log(name), 30, name)  # type: ignore[misc]
        sender = Sender(broker.port)
        began = time.monotonic()
        while counter(path, "gw_received") < _PROBE:
            sender.go_on(_PROBE)
        limit = _PROBE / (time.monotonic() - began)
        rate, samples = share * limit, list[dict[str, float]]()
        parts = {name: psutil.Process(p.pid) for name, p in chain.processes.items()}
        parts["broker"] = psutil.Process(broker.pid)
        began, next_sample = time.monotonic(), 10.0
        while (passed := time.monotonic() - began) < seconds:
            sender.go_on(_PROBE + round(rate * passed))
            if passed >= next_sample:
                next_sample += 10.0
                taken = counter(path, "gw_received")
                sample = {"s": round(passed), "behind": round(_PROBE + rate * passed) - taken}
                samples.append(sample | {n: round(p.memory_info().rss / 1e6, 1) for n, p in parts.items()})
                print(json.dumps(samples[-1]), flush=True)
        return {"limit": round(limit), "rate": round(rate), "samples": samples}
    finally:
        chain.stop()
        broker.stop()
