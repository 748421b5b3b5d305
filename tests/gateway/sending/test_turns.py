"""Where more windows wait than one flight carries, those of events leave first, and the others take turns."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.incoming import Incoming
from gateway.pacing import Turns
from gateway.service import Gateway
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from telemetry.wire import decode, number
from tests.gateway import cores

NOW = 1_709_294_400_000
FLIGHT, METERS = 50, 200


class City:
    """A charger and more meters than a flight carries; each of them has news ten times a second, the charger once.

    `stored`: whether ingest confirms what it is sent. `devices`: of each flight, with the last reading of each.
    """

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, stored: bool) -> None:
        monkeypatch.setattr("gateway.service.wait", lambda *_, **__: None)
        monkeypatch.setattr("gateway.service._FLIGHT", FLIGHT)
        self.core, self.devices, self.now = cores.make(folder), list[dict[str, float]](), NOW
        self._stored, self._mids, self._receipts = stored, list[int](), list[Any]()
        answers: dict[str, Any] = {
            "publish": self._publish,
            "received": self._received,
            "delivered": self._delivered,
            "rejected": list,
        }
        link: Any = SimpleNamespace(
            connected=True, epoch=1, waiting=0, passed=0, held=0, ack=lambda _: None, step=lambda: None, **answers
        )
        silent: Any = SimpleNamespace(**{**vars(link), "received": list, "delivered": list})
        self._gateway = Gateway("gw", self.core, silent, link, lambda: self.now, health_ms=DAY)
        self._gateway._next_health = NOW + DAY

    def second(self) -> None:
        """Every device has news, and the gateway works."""
        self.core.accept([self._news("ev", "session_energy", (self.now - NOW) // 1000, "1")], self.now)
        for _ in range(10):
            readings = [self._news(f"m{n}", "energy_total", n + (self.now - NOW) / 1e6, None) for n in range(METERS)]
            self.core.accept(readings, self.now)
            self.now += 100
            self._gateway.step()

    def _news(self, device: str, quantity: str, value: float, key: str | None) -> Incoming:
        record = {"n": quantity, "v": value, "t": self.now / 1000} | ({"key": key} if key else {})
        return Incoming(f"cv/1/aba/{device}/data", json.dumps([record]).encode(), self.now)

    def _publish(self, _topic: str, payload: bytes) -> int:
        _, _, partials = decode(payload, self.core.buffer.table)
        names = [self.core.buffer.table[series].device for series in partials.series]
        self.devices.append(dict(zip(names, partials.last.tolist(), strict=True)))
        self._mids.append(len(self.devices))
        if self._stored:
            receipt = json.dumps([number(payload)]).encode()
            self._receipts.append(SimpleNamespace(topic="cv/1/aba/gw/stored", payload=receipt))
        return len(self.devices)

    def _received(self) -> list[Any]:
        found, self._receipts = self._receipts, []
        return found

    def _delivered(self) -> list[int]:
        found, self._mids = self._mids, []
        return found


@pytest.mark.parametrize("stored", [True, False])
def test_an_event_leaves_in_its_second_although_others_wait(
    stored: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The charger is the oldest series, the last of any flight; and an ingest that is behind confirms nothing."""
    city = City(tmp_path, monkeypatch, stored)
    for second in range(20):
        city.second()
        seen = [flight["ev"] for flight in city.devices if "ev" in flight]
        assert seen[-1:] == [float(second)], f"not among {len(city.devices)} flights"
    assert all(len(flight) <= FLIGHT for flight in city.devices)
    assert sum(flight.keys() == {"ev"} for flight in city.devices) <= 20, "at most one a second more"


def test_all_series_leave_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Newest first alone would send the newest series with every flight, and the oldest never."""
    city = City(tmp_path, monkeypatch, stored=True)
    while len(city.devices) < 100:
        city.second()
    full = [flight for flight in city.devices if len(flight) == FLIGHT]
    turns = -(-2 * METERS // (FLIGHT - 1)) + 1  # of a new minute and the one before
    for first in range(len(full) - turns):
        served = set[str]().union(*full[first : first + turns]) - {"ev"}
        assert len(served) == METERS, f"{METERS - len(served)} series are in none of {turns} flights in a row"
    assert len(full) > 3 * turns


def leave_first(*readings: tuple[str, int, int]) -> list[tuple[str, int]]:
    """Device and start of the windows that leave first, after readings (quantity, time, arrival) of as many devices."""
    table = SeriesTable()
    found = Turns(table, MINUTE)
    for n, (quantity, t, arrival) in enumerate(readings):
        series = table.id_of(Series("aba", f"s{n}", quantity))
        found.note(Readings.of([series], [t], [1.0], arrival=[arrival]))
    return [(table[series].device, start - NOW) for series, start in found.turn([]).first]


def test_windows_of_events_of_the_last_hour_leave_first() -> None:
    late = ("session_energy", NOW, NOW + HOUR)
    assert leave_first(("no2", NOW, NOW), ("session_energy", NOW + MINUTE + 1, NOW + HOUR), late) == [("s1", MINUTE)]
    many = leave_first(*[("session_energy", NOW, NOW)] * 1002)
    assert many == [(f"s{n}", 0) for n in range(1000)], "a sender of many does not take the flights of others"
