"""Find devices: listen to a broker, or examine one message, and print ready lines of configuration."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import tomlkit

from adapters.mqtt.broker_settings import broker
from adapters.mqtt.listener import listen as subscribed
from cityvitals.clock import now_ms
from cityvitals.processes import cities_of
from gateway.decoding.recognise import Sighting, recognised
from registry.city import City
from registry.settings import Settings
from telemetry.errors import Unavailable, UsageError, nearest

_MOST = 200_000  # messages that are examined

# What kind of device gives a quantity, the most specific first.
_KINDS = {
    "connector_state": "ev_charger", "session_energy": "ev_charger", "energy_total": "electricity_meter",
    "power": "electricity_meter", "water_total": "water_meter", "heat_total": "heat_meter", "laeq": "noise",
    "pm2_5": "air_lowcost", "pm10": "air_lowcost", "no2": "air_lowcost", "co2": "air_lowcost",
}  # fmt: skip


class Found:
    """Everything that was recognised, by family and device."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str, str], dict[str, Sighting]] = {}
        self.unknown: dict[str, int] = {}
        self.messages = 0

    def add(self, payload: bytes, topic: str | None, now: int, zone: ZoneInfo) -> None:
        """Recognise one message and add its values."""
        self.messages += 1
        sightings = recognised(payload, topic, now, zone)
        for s in sightings:
            self.values.setdefault((s.family, s.device, s.sender), {})[s.quantity] = s
        if not sightings and topic is not None and len(self.unknown) < 10_000:
            self.unknown[topic] = self.unknown.get(topic, 0) + 1


def listen(settings: Settings, seconds: float, topic: str, progress: Callable[[int], None]) -> list[str]:
    """Listen to the configured broker for some seconds; the result as lines of text. Raises UsageError."""
    cities, found = cities_of(settings), Found()

    def receive(address: str, payload: bytes) -> bool:
        found.add(payload, address, now_ms(), _zone(cities))
        progress(found.messages)
        return found.messages < _MOST

    name = f"discover-{now_ms() % 10**9}"
    try:
        asyncio.run(subscribed(broker(settings.gateway.broker), name, topic, seconds, receive))
    except Unavailable as error:
        if not found.messages:
            raise UsageError(f"{error}; no message was received.") from None
    return report(found, cities)


def explain_payload(path: str, topic: str | None, settings: Settings) -> list[str]:
    """What one message of a device is: a file, or standard input for "-"."""
    try:
        payload = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}.") from None
    cities, found = cities_of(settings), Found()
    found.add(payload.strip(b"\n"), topic, now_ms(), _zone(cities))
    if not found.values:
        hint = "" if topic else " Give --topic too: many families are recognised by it."
        return [
            f"No device family is recognised in {len(payload)} bytes.{hint}",
            "See docs/devices.md for the families.",
        ]
    return report(found, cities)


def _zone(cities: Sequence[City]) -> ZoneInfo:
    return cities[0].zone if cities else ZoneInfo("UTC")


def report(found: Found, cities: Sequence[City]) -> list[str]:
    """A table of devices and values, then lines for the configuration and for CITY.toml."""
    registered = {d.id for city in cities for d in city.device}
    city = cities[0].id if cities else "<city>"
    lines = [f"{found.messages} messages, {len(found.values)} devices recognised."]
    for (family, device, _), values in sorted(found.values.items()):
        known = "registered" if device in registered else "not registered"
        if known == "not registered" and registered:
            known += f" ({nearest(device, registered)})" if "did you mean" in nearest(device, registered) else ""
        lines.append(f"{family:<20} {device:<34} {known}")
        lines += [f"{'':<20}   {s.quantity:<22} {s.value:g} {s.unit}" for s in values.values()]
    lines += [f"{'not recognised':<20} {topic} ({n})" for topic, n in sorted(found.unknown.items())[:20]]
    lines += ["", "# cityvitals.toml", *_sources(found, city)]
    new = [item for item in sorted(found.values.items()) if item[0][1] not in registered]
    return [*lines, *(["# CITY.toml", *_devices(new)] if new else [])]


def _sources(found: Found, city: str) -> Iterable[str]:
    for family in sorted({family for family, _, _ in found.values}):
        renamed = {sender: device for f, device, sender in found.values if f == family and sender != device}
        entry: dict[str, Any] = {"family": family, "city": city}
        if renamed:
            entry["devices"] = tomlkit.inline_table()
            entry["devices"].update(sorted(renamed.items()))
        yield from ("[[gateway.source]]", *tomlkit.dumps(entry).splitlines(), "")


def _devices(new: Sequence[tuple[tuple[str, str, str], dict[str, Sighting]]]) -> Iterable[str]:
    for (_, device, _), values in new:
        kind = next((_KINDS[q] for q in _KINDS if q in values), "weather")
        entry = {"id": device, "kind": kind, "quantities": sorted(values)}
        yield from ("[[device]]", *tomlkit.dumps(entry).splitlines(), "")
