"""A small city, windows messages for it, and a link without a network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from adapters.mqtt.link import Message
from adapters.points import Judged, Newest, Point
from registry.city import City
from telemetry.kpi_value import StoredKpi
from telemetry.partials import fold
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import MINUTE
from telemetry.wire import encode

T0 = 1_709_294_400_000  # 2024-03-01T12:00:00Z
NOW = T0 + 400 * 86_400_000
METERED = "LOCAL:E:METERED"


def city(name: str = "aba", **rest: object) -> City:
    plain = {"id": name, "name": "Aba", "country": "NG", "timezone": "Africa/Lagos", **rest}
    meters = [{"id": f"m{n}", "kind": "electricity_meter", "quantities": ["energy_delta"]} for n in (1, 2)]
    return City.model_validate({"city": plain, "device": meters, "rules": {"period_capture": 0.0}})


def windows(
    *minutes: int, device: str = "m1", name: str = "aba", kwh: float = 1.0, width: int = MINUTE, number: int = 0
) -> bytes:
    """A message with one reading in each of these minutes after T0."""
    table = SeriesTable([Series(name, device, "energy_delta")])
    found = Readings.of([0] * len(minutes), [T0 + m * MINUTE for m in minutes], [kwh] * len(minutes))
    return encode(name, width, fold(found, width, table.modulus(found.series)), table, number)


@dataclass
class PutPoints:
    """A `Points` that keeps what is put."""

    puts: list[list[Point]] = field(default_factory=list)

    def newest(self, _city: str) -> list[Newest]:
        return []

    def judged(self, _city: str) -> Judged | None:
        return None

    def updated_since(self, _city: str, _time: int) -> list[StoredKpi]:
        return []

    def newest_of_years(self, _city: str) -> list[StoredKpi]:
        return []

    def put(self, points: Iterable[Point]) -> None:
        self.puts.append(list(points))

    @property
    def bands(self) -> list[tuple[str, int, object]]:
        """Device, time and band of the air bands."""
        every = (point for put in self.puts for point in put)
        return [(p.tags["device"], p.time, p.fields["band"]) for p in every if "band" in p.fields]


@dataclass
class Values:
    """KPI values that a store has; of these the newest is in memory."""

    values: Sequence[StoredKpi] = ()

    def in_memory(self) -> Sequence[StoredKpi]:
        return self.values[-1:]

    def all(self) -> Sequence[StoredKpi]:
        return self.values


@dataclass
class NoNetwork:
    """What a Link is to ingest: batches to receive, and what became of them."""

    batches: list[list[bytes]]
    connected: bool = True
    acknowledged: list[bytes] = field(default_factory=list)
    dropped: int = 0
    published: list[tuple[str, bytes, bool]] = field(default_factory=list)
    closed: bool = False
    gateway: str = "gw"
    client_id: str = "ingest-1"
    waits: list[float] = field(default_factory=list)  # s that each `receive` was to wait

    def receive(self, timeout: float, limit: int = 2000) -> list[Message]:
        self.waits.append(timeout)
        batch = self.batches.pop(0) if self.batches else []
        return [Message(self._topic(p), p, False, False, i, 1, 1) for i, p in enumerate(batch)]

    def _topic(self, payload: bytes) -> str:
        """Of the message's own city; of aba where it cannot be read."""
        found = re.search(rb'"city":"(\w+)"', payload)
        return f"cv/1/{found[1].decode() if found else 'aba'}/{self.gateway}/windows"

    def ack(self, messages: list[Message]) -> None:
        self.acknowledged += [m.payload for m in messages]

    def abort(self) -> None:
        self.dropped += 1

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> int:
        self.published.append((topic, payload, retain))
        return len(self.published)

    def close(self) -> None:
        self.closed = True
