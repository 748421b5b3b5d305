"""Clients of the gateway's own doors: one pushes by HTTP, one is a charging station. Both retry as their protocol says.

They connect to the gateway itself, so that its kills, freezes, full disks and dead lines reach them. What is not
acknowledged is kept and resent until it is; at the end each reading must be stored once. No city lists their
devices: no KPI has their values.
"""

from __future__ import annotations

import json
import threading
import time
from abc import abstractmethod
from collections import deque
from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import websockets
from websockets.sync.client import connect
from websockets.sync.connection import Connection

from telemetry.windows import DAY, MINUTE
from tests.chaos.checking.batch import Reading, readings

TOKEN = "push-secret"
STATION = "cp1"
_ANSWER_S = 5.0  # for an answer
_PAUSE_S = 0.3
_LINES = 5
_SESSION, _BETWEEN = MINUTE, MINUTE // 2


class Door(NamedTuple):
    """Where a door of the gateway listens, as its clients reach it."""

    host: str
    port: int


class Client(threading.Thread):
    """A client with a thread of its own. `sent`: what it has made; `answered`: how many acknowledgements it has."""

    def __init__(self, door: Door) -> None:
        super().__init__(name=type(self).__name__, daemon=True)
        self.door, self.sent, self.answered = door, list[Reading](), 0
        self.writing = True
        self._over = threading.Event()

    def close(self) -> None:
        """End, also where something was never acknowledged."""
        self._over.set()
        self.join(_ANSWER_S + 5)

    @property
    @abstractmethod
    def waiting(self) -> int:
        """Requests without an acknowledgement."""


class Pusher(Client):
    """Line protocol with times, as Telegraf sends it: a batch is resent until the answer is 204."""

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self._open: deque[str] = deque()
        self._value, self._last, self._next = 0, 0, 0.0

    @property
    def waiting(self) -> int:
        """Batches without an acknowledgement."""
        return len(self._open)

    def run(self) -> None:
        """Write a batch in each pause; send the oldest, without a pause while several wait."""
        url = f"http://{self.door.host}:{self.door.port}/api/v2/write?precision=ms"
        with httpx.Client(timeout=_ANSWER_S, headers={"Authorization": f"Token {TOKEN}"}) as client:
            while not self._over.wait(0 if len(self._open) > 1 else _PAUSE_S):
                if self.writing and time.monotonic() >= self._next:
                    self._next = time.monotonic() + _PAUSE_S
                    self._open.append(self._batch())
                if self._open and self._accepted(client, url):
                    self._open.popleft()
                    self.answered += 1

    def _batch(self) -> str:
        lines = []
        for _ in range(_LINES):
            self._value += 1
            self._last = max(time.time_ns() // 1_000_000, self._last + 1)
            self.sent.append(Reading("pushed-1", "power", self._last, "", float(self._value)))
            lines.append(f"meter,device=pushed-1 power={self._value} {self._last}")
        return "\n".join(lines)

    def _accepted(self, client: httpx.Client, url: str) -> bool:
        try:
            return client.post(url, content=self._open[0]).status_code == 204
        except httpx.HTTPError:
            self._over.wait(_PAUSE_S)
            return False


class ChargingStation(Client):
    """OCPP 1.6: sessions of the last days, one after another. A call without an answer is resent, in order."""

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self._open: deque[tuple[str, dict[str, Any]]] = deque()
        self._start, self._wh, self._number = time.time_ns() // 1_000_000 - 3 * DAY, 0, 0

    @property
    def waiting(self) -> int:
        """Calls without an answer."""
        return len(self._open)

    def run(self) -> None:
        """Connect, and again whenever the connection ends."""
        url = f"ws://{STATION}:{TOKEN}@{self.door.host}:{self.door.port}/{STATION}"
        while not self._over.wait(_PAUSE_S):
            try:
                with connect(
                    url, subprotocols=[websockets.Subprotocol("ocpp1.6")], open_timeout=_ANSWER_S, close_timeout=0.5
                ) as link:
                    self._use(link)
            except (OSError, TimeoutError, websockets.WebSocketException):
                continue

    def _use(self, link: Connection) -> None:
        while not self._over.wait(0 if self._open else _PAUSE_S):
            if not self._open:
                if not self.writing:
                    continue
                self._session()
            action, body = self._open[0]
            link.send(json.dumps([2, f"{self._number}-{action}", action, body]))
            kind, _, answer, *_ = json.loads(link.recv(_ANSWER_S))
            assert kind == 3, f"{action}: {answer}"
            self._open.popleft()
            self.answered += 1
            if action == "StartTransaction":  # its number is known only now
                self._open[-1][1]["transactionId"] = answer["transactionId"]

    def _session(self) -> None:
        """A start, a register in between and an end."""
        self._number += 1
        start, end, used = self._start, self._start + _SESSION, 1000 + self._number
        middle = (start + end) // 2
        begun = {"connectorId": 1, "idTag": "card", "meterStart": self._wh, "timestamp": _iso(start)}
        register = [{"value": str(self._wh + 500), "measurand": "Energy.Active.Import.Register", "unit": "Wh"}]
        between = {"connectorId": 1, "meterValue": [{"timestamp": _iso(middle), "sampledValue": register}]}
        ended = {"transactionId": 0, "meterStop": self._wh + used, "timestamp": _iso(end)}
        self._open += [("StartTransaction", begun), ("MeterValues", between), ("StopTransaction", ended)]
        session = {"bt": start / 1000, "n": "session_energy", "v": used / 1000, "key": str(start), "end": end / 1000}
        self.sent.append(Reading(f"{STATION}-1", "energy_total", middle, "", (self._wh + 500) / 1000))
        self.sent += readings(f"{STATION}-1", [session])
        self._wh += used
        self._start = end + _BETWEEN


def _iso(now: int) -> str:
    return datetime.fromtimestamp(now / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
