"""Thousands of devices that come back at once when their broker does: how long it takes, and that nothing is lost."""

from __future__ import annotations

import random
import resource
import selectors
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.blast import packet
from tests.chain import Chain
from tests.chaos.world import CITY
from tests.load.readings import complete, received
from tests.processes import wait_for
from tests.servers import Mosquitto

SPREAD = 20.0  # devices come back at a random moment of these seconds, as the firmware's back-off has it


@dataclass(slots=True)
class Client:
    """One device: connects with a session of its own and sends its records until each is acknowledged."""

    name: str
    retry_at: float
    link: socket.socket | None = None
    online: bool = False
    times: int = 0
    seq: int = 0
    waiting: dict[int, bytes] = field(default_factory=dict)

    def connect_packet(self) -> bytes:
        """CONNECT of MQTT 3.1.1, session kept, keep-alive 60 s."""
        name = self.name.encode()
        body = b"\x00\x04MQTT\x04\x00\x00\x3c" + struct.pack("!H", len(name)) + name
        return bytes([0x10, len(body)]) + body

    def write(self) -> None:
        """One more record, sent when there is a connection."""
        number = self.seq % 65535 + 1
        body = f'[{{"bt":{time.time():.3f},"boot":1,"seq":{self.seq},"n":"no2","u":"ug/m3","v":{self.seq % 50}}}]'
        self.waiting[number] = packet(f"cv/1/crowd/{self.name}/data", body.encode(), number)
        self.seq += 1
        if self.online and self.link:
            with suppress(OSError):  # the loss is noticed when it is read
                self.link.send(self.waiting[number])


class Crowd:
    """All devices, in one thread."""

    def __init__(self, port: int, count: int, spread: float) -> None:
        self._port, self._poll, self._rng, self._spread = port, selectors.DefaultSelector(), random.Random(1), spread
        now = time.monotonic()
        self.clients = [Client(f"d{n}", now + self._rng.uniform(0, spread / 2)) for n in range(count)]

    def step(self) -> None:
        """Connect who is due; read what has come."""
        now = time.monotonic()
        due = [c for c in self.clients if c.link is None and c.retry_at <= now][:500]
        for client in due:
            self._connect(client)
        for key, _ in self._poll.select(0.02):
            self._read(key.data)

    def _connect(self, client: Client) -> None:
        link = socket.socket()
        try:
            link.connect(("127.0.0.1", self._port))
            link.sendall(client.connect_packet())
        except OSError:
            link.close()
            client.retry_at = time.monotonic() + self._rng.uniform(0.5, self._spread)
            return
        link.setblocking(False)
        client.link = link
        self._poll.register(link, selectors.EVENT_READ, client)

    def _read(self, client: Client) -> None:
        assert client.link is not None
        try:
            data = client.link.recv(4096)
        except OSError:
            data = b""
        if not data:
            self._lost(client)
            return
        for at in range(0, len(data) - 3, 4):  # CONNACK and PUBACK are four bytes each
            kind, _, number = struct.unpack_from("!BBH", data, at)
            if kind == 0x20:
                client.online, client.times = True, client.times + 1
                for waiting in client.waiting.values():
                    client.link.send(waiting)
            elif kind == 0x40:
                client.waiting.pop(number, None)

    def _lost(self, client: Client) -> None:
        assert client.link is not None
        self._poll.unregister(client.link)
        client.link.close()
        client.link, client.online = None, False
        client.retry_at = time.monotonic() + self._rng.uniform(0, self._spread)

    def until(self, condition: Callable[[], bool], timeout: float) -> float:
        """Go on until the condition holds; seconds it took."""
        began = time.monotonic()
        while not condition():
            self.step()
            if time.monotonic() - began > timeout:
                online = sum(c.online for c in self.clients)
                waiting = sum(len(c.waiting) for c in self.clients)
                raise AssertionError(f"after {timeout:g} s {online} devices are online, {waiting} records wait")
        return time.monotonic() - began

    def all_online(self, times: int) -> bool:
        """Whether every device is connected, for at least the given time."""
        return all(c.online and c.times >= times for c in self.clients)

    def settled(self) -> bool:
        """Whether everything is acknowledged."""
        return not any(c.waiting for c in self.clients)

    def close(self) -> None:
        """Leave."""
        for client in self.clients:
            if client.link:
                client.link.close()


def run(folder: Path, count: int, spread: float = SPREAD) -> dict[str, float]:
    """Connect, restart the broker under everybody, wait until all are back; what it took."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(2 * count + 1000, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    broker = Mosquitto(folder / "broker", extra="log_type error")
    chain = Chain(folder, CITY, broker.port, "sqlite:///unused.db")
    served = chain.config.read_text(encoding="utf-8").replace("[gateway]\n", '[gateway]\ncities = ["crowd"]\n')
    chain.config.write_text(served, encoding="utf-8")  # a gateway refuses cities that it does not serve
    broker.start()
    crowd = Crowd(broker.port, count, spread)
    try:
        chain.run("gateway")
        wait_for(lambda: "connected" in chain.log("gateway"), 30, "the gateway")
        first = crowd.until(lambda: crowd.all_online(1), 120)
        for client in crowd.clients:
            client.write()
        crowd.until(crowd.settled, 120)
        began = time.monotonic()
        broker.stop()
        for client in crowd.clients:
            client.write()  # while the broker is away
        broker.start()
        away = time.monotonic() - began
        back = crowd.until(lambda: crowd.all_online(2), 300)
        crowd.until(crowd.settled, 120)
        for client in crowd.clients:
            client.write()
        crowd.until(crowd.settled, 120)
        path = folder / "gateway.db"
        total = 3 * count
        crowd.until(lambda: received(path, "crowd") >= total, 120)
        return {"devices": count, "first_s": first, "away_s": away, "back_s": back, "stored": received(path, "crowd"),
                "sent": total, "complete": complete(path, "crowd", 3)}  # fmt: skip
    finally:
        crowd.close()
        chain.stop()
        broker.stop()
