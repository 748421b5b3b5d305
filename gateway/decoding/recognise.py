"""Which device family sent a message, and what it contains: for `discover` and `doctor --payload`.

Every family's messages are tried; a message belongs to a family where its topic fits (if one is known), what the
family's messages always have is there, and at least one value could be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from gateway.decoding.decoded import SourceOptions
from gateway.decoding.reading import Reading
from gateway.devices import families, messages
from gateway.formats import Read, decoder, is_mapped, reader
from registry.mapping import Message
from registry.settings import SourceSettings
from telemetry.errors import Rejected
from telemetry.quantities import QUANTITIES, conversion
from telemetry.topics import matcher, valid_id

_GENERIC = frozenset({"flat_json", "line_protocol", "fiware_iot_agent", "sparkplug_b", "cityvitals"})
_LEVEL = re.compile(r"\{([a-z]+)\*?\}")


class Sighting(NamedTuple):
    """A value that was read; None: announced, and not sent yet. `sender`: the device as it names itself; `device`: an
    id it can have here.
    """

    family: str
    sender: str
    device: str
    quantity: str
    value: float | None
    unit: str


class _Names(dict[str, str]):
    """Maps every name of a sender to an id, and keeps the sender of each id."""

    def __init__(self) -> None:
        super().__init__()
        self.senders: dict[str, str] = {}

    def get(self, name: str, default: str | None = None) -> str:  # type: ignore[override] # noqa: ARG002
        """An id for a name."""
        made = an_id(name)
        self.senders[made] = name
        return made


def an_id(name: str) -> str:
    """An id for a sender's name: the name where it is a valid one, else what of it can be in an id."""
    if valid_id(name):
        return name
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", name.rpartition(":")[2] or name).strip("-._")
    return text[:64] if valid_id(text[:64]) else "device-1"


class Recogniser:
    """Examines messages one after another: units and births that come in messages of their own are kept."""

    def __init__(self) -> None:
        self._reads: dict[int, Read] = {}  # by the place of the candidate

    def recognised(self, payload: bytes, topic: str | None, now: int, zone: ZoneInfo) -> list[Sighting]:
        """What is in a message, by the family that fits best. `now`: ms UTC. Empty where none fits."""
        found = []
        for place, candidate in enumerate(_candidates()):
            if is_mapped(candidate.message.format) and place not in self._reads:
                self._reads[place] = reader(candidate.message.format, candidate.message.options)
            if sightings := _read(candidate, self._reads.get(place), payload, topic, now, zone):
                found.append(sightings)
        return max(found, key=lambda s: (s[0].family not in _GENERIC, len(s)), default=[])


class _Candidate(NamedTuple):
    family: str
    message: Message


@cache
def _candidates() -> list[_Candidate]:
    return [_Candidate(f, m) for f in families() for m in messages(SourceSettings(family=f, city="x"))]


def _read(
    c: _Candidate, read: Read | None, payload: bytes, topic: str | None, now: int, zone: ZoneInfo
) -> list[Sighting]:
    levels = _levels(c, topic)
    if levels is None:
        return []
    names = _Names()
    options = SourceOptions()
    try:
        if read is not None:
            reading = Reading(c.message, read, names, lambda _: zone)
            if not reading.has(payload, levels):
                return []
            first = reading.bind(topic or "", levels, levels.get("city", "x"))(payload, now, options)
        else:
            first = decoder(c.message.format)(payload, now, options)
            first.device = levels.get("device", "device-1")
    except Rejected:
        return []
    return [s for part in (first, *first.more) for s in _sightings(c.family, part.device or "", names, part.rows)]


def _levels(c: _Candidate, topic: str | None) -> dict[str, str] | None:
    """The named levels of the topic; without a topic only a message with marks of its own is tried."""
    if topic is not None:
        return matcher(c.message.topic)(topic)
    if not c.message.has and c.message.format in ("json", "plain", "attributes"):
        return {"device": "device-1"} if c.family == "flat_json" else None
    return dict.fromkeys(_LEVEL.findall(c.message.topic), "device-1")


def _sightings(
    family: str, device: str, names: _Names, rows: list[tuple[str, str | None, float, int, int, int]]
) -> Iterator[Sighting]:
    for quantity, unit, value, *_ in rows:
        entry = QUANTITIES.get(quantity)
        how = conversion(entry, unit or entry.unit) if entry else None
        if entry is not None and how is not None:
            sender = names.senders.get(device, device)
            yield Sighting(family, sender, device, quantity, how.apply(value), entry.unit)
