"""Find devices: listen to a broker, or examine one message, and print ready lines of configuration."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import tomlkit

from adapters.mqtt.broker_settings import broker
from adapters.mqtt.listener import listen as subscribed
from cityvitals.clock import now_ms
from cityvitals.processes import cities_of
from gateway.decoding.announced import Announced, Unclear, announced, settled, sources
from gateway.decoding.recognise import Recogniser, Sighting, an_id
from gateway.sources import made_sources
from registry.city import City
from registry.settings import Settings, SourceSettings
from telemetry.errors import Rejected, Unavailable, UsageError, cause, nearest
from telemetry.quantities import QUANTITIES, conversion

ANNOUNCED = "announced"  # in place of a family: by Home Assistant's MQTT discovery
_MOST = 200_000  # messages that are examined
_SAMPLE = 4096  # bytes of an unknown message that are kept

# What kind of device gives a quantity, the most specific first.
_KINDS = {
    "connector_state": "ev_charger", "session_energy": "ev_charger", "energy_total": "electricity_meter",
    "power": "electricity_meter", "water_total": "water_meter", "heat_total": "heat_meter", "laeq": "noise",
    "pm2_5": "air_lowcost", "pm10": "air_lowcost", "no2": "air_lowcost", "co2": "air_lowcost",
}  # fmt: skip


class Found:
    """Everything that was recognised, by family and device; what devices announced, and the last messages of others."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, str, str], dict[str, Sighting]] = {}
        self.unknown: dict[str, int] = {}
        self.announced: list[Announced | Unclear] = []
        self.messages = 0
        self._of_families: set[str] = set()
        self._recogniser = Recogniser()
        self._samples: dict[str, bytes] = {}

    def add(self, payload: bytes, topic: str | None, now: int, zone: ZoneInfo) -> None:
        """Recognise one message and add its values."""
        self.messages += 1
        if topic is not None and (said := announced(topic, payload)) is not None:
            self.announced += said[: _MOST - len(self.announced)]
            return
        sightings = self._recogniser.recognised(payload, topic, now, zone)
        for s in sightings:
            self.values.setdefault((s.family, s.device, s.sender), {})[s.quantity] = s
        if topic is None:
            return
        if sightings:
            self._of_families.add(topic)
            self.unknown.pop(topic, None)  # its unit may have come later than its first value
        elif topic in self.unknown or len(self.unknown) < 10_000:
            self.unknown[topic] = self.unknown.get(topic, 0) + 1
            self._samples[topic] = payload[:_SAMPLE]

    def announced_sources(self, city: str, now: int) -> tuple[list[dict[str, Any]], list[Unclear]]:
        """The sources of devices that announced themselves and that no family reads; what is unclear about them.

        Their values are added to those that were recognised, with the last message where one was seen.
        """
        fresh = [a for a in self.announced if isinstance(a, Unclear) or a.topic not in self._of_families]
        chosen, unclear = settled(fresh)
        ids: dict[str, str] = {}
        for sender in sorted({a.sender for a in chosen}):
            made = an_id(sender)
            ids[sender] = next(i for n in count(1) if (i := made if n == 1 else f"{made}-{n}") not in ids.values())
        entries = sources(chosen, city, ids)
        seen = {key: value for entry in entries for key, value in self._last(entry, now).items()}
        for a in chosen:
            self.unknown.pop(a.topic, None)
            device = ids[a.sender]
            value = seen.get((device, a.quantity))
            sighting = Sighting(ANNOUNCED, a.sender, device, a.quantity, value, QUANTITIES[a.quantity].unit)
            self.values.setdefault((ANNOUNCED, device, a.sender), {})[a.quantity] = sighting
        return entries, unclear

    def _last(self, entry: dict[str, Any], now: int) -> dict[tuple[str, str], float]:
        """The values of the last message of a source, read by the source itself, in the catalogue's units."""
        topic, payload = entry["topic"], self._samples.get(entry["topic"])
        [source] = made_sources([SourceSettings(**entry)])
        if payload is None or source.reading is None:
            return {}
        try:
            rows = source.reading.bind(topic, {}, entry["city"])(payload, now, source.options).rows
        except Rejected:
            return {}
        found = {}
        for quantity, unit, value, *_ in rows:
            known = QUANTITIES[quantity]
            if (how := conversion(known, unit or known.unit)) is not None:
                found[entry["device"], quantity] = how.apply(value)
        return found


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
        raise UsageError(f"{path} cannot be read: {cause(error)}.") from None
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
    city = cities[0].id if cities else "city"
    entries, unclear = found.announced_sources(city, now_ms())
    lines = [f"{found.messages} messages, {len(found.values)} devices recognised."]
    for (family, device, _), values in sorted(found.values.items()):
        known = "registered" if device in registered else "not registered"
        if known == "not registered" and registered:
            known += f" ({nearest(device, registered)})" if "did you mean" in nearest(device, registered) else ""
        lines.append(f"{family:<20} {device:<34} {known}")
        lines += [f"{'':<20}   {s.quantity:<22} {_shown(s)}" for s in values.values()]
    lines += [f"{'left out':<20} {u.sender}: {u.reason}" for u in unclear]
    lines += [f"{'not recognised':<20} {topic} ({n})" for topic, n in sorted(found.unknown.items())[:20]]
    lines += ["", "# cityvitals.toml", *_sources(found, city), *_entries(entries)]
    new = [item for item in sorted(found.values.items()) if item[0][1] not in registered]
    return [*lines, *(["# CITY.toml", *_devices(new)] if new else [])]


def _shown(s: Sighting) -> str:
    return f"not seen yet ({s.unit})" if s.value is None else f"{s.value:g} {s.unit}"


def _sources(found: Found, city: str) -> Iterable[str]:
    for family in sorted({family for family, _, _ in found.values} - {ANNOUNCED}):
        renamed = {sender: device for f, device, sender in found.values if f == family and sender != device}
        entry: dict[str, Any] = {"family": family, "city": city}
        if renamed:
            entry["devices"] = tomlkit.inline_table()
            entry["devices"].update(sorted(renamed.items()))
        yield from ("[[gateway.source]]", *tomlkit.dumps(entry).splitlines(), "")


def _entries(entries: Iterable[dict[str, Any]]) -> Iterable[str]:
    """Sources that are written out, because they belong to no family."""
    for entry in entries:
        values = tomlkit.inline_table()
        for path, measured in entry["values"].items():
            values[path] = tomlkit.inline_table()
            values[path].update(measured)
        yield from ("[[gateway.source]]", *tomlkit.dumps({**entry, "values": values}).splitlines(), "")


def _devices(new: Sequence[tuple[tuple[str, str, str], dict[str, Sighting]]]) -> Iterable[str]:
    for (_, device, _), values in new:
        kind = next((_KINDS[q] for q in _KINDS if q in values), "weather")
        entry = {"id": device, "kind": kind, "quantities": sorted(values)}
        yield from ("[[device]]", *tomlkit.dumps(entry).splitlines(), "")
