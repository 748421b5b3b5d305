"""Events as annotations: silences, calibrations, revised values, changed city files, starts of ingest. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from adapters.points import Point
from registry.city import City
from telemetry.kpi_value import StoredKpi

_NUMBER = re.compile(r"\d[\d.,:TZ-]*")
_MOST_REASONS = 200
_NAMED = 5  # up to this many devices have an event each; more that fall silent together have one


def _event(city: str, kind: str, about: str, text: str, time: int, until: int | None = None) -> Point:
    return Point("event", {"city": city, "kind": kind, "about": about or "-"}, {"text": text, "until": until}, time)


def started(city: City, version: str, now: int) -> Point:
    """Ingest has started to serve the city."""
    return _event(city.id, "restart", "ingest", f"ingest {version} started", now)


def city_file(city: City, sentences: Sequence[str], now: int) -> Iterator[Point]:
    """A changed city file, with the changed values."""
    if sentences:
        yield _event(city.id, "city file", "-", "; ".join(sentences), now)


def calibrations(city: City) -> Iterator[Point]:
    """The calibration entries of all devices, each at the time from which it holds."""
    for device in city.device:
        for entry in device.calibration:
            since = datetime.fromisoformat(entry.valid_from)
            since = since if since.tzinfo else since.replace(tzinfo=city.zone)
            text = f"{device.id}: {entry.quantity} calibrated, version {entry.version}"
            time = round(since.astimezone(UTC).timestamp() * 1000)
            yield _event(city.id, "calibration", f"{device.id} {entry.quantity}", text, time)


def revisions(changed: Iterable[StoredKpi]) -> Iterator[Point]:
    """Values that were final and have been changed by late data."""
    for stored in changed:
        k = stored.kpi
        if k.revision > 1 and stored.previous is not None and k.value is not None:
            about = f"{k.code} {k.part} {k.period}".replace("  ", " ")
            text = f"{about}: {stored.previous:.4g} became {k.value:.4g} {k.unit}, revision {k.revision}"
            yield _event(k.city, "revision", about, text, stored.changed)


class RejectCounts:
    """Messages that ingest rejected, counted by city and reason.

    Both may contain names that a sender invents, and each is a series of the store for good: after _MOST_REASONS
    different ones all others are counted together.
    """

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()

    def points(self, reasons: Iterable[tuple[str, str]], now: int) -> Iterator[Point]:
        """Rows of these (city, reason) at `now`; numbers are taken out of the reasons."""
        counted = Counter(self._named(city, _NUMBER.sub("...", reason)[:120]) for city, reason in reasons)
        for (city, reason), n in counted.items():
            yield Point("reject", {"city": city, "reason": reason}, {"n": n}, now)

    def _named(self, *name: str) -> tuple[str, str]:
        city, reason = name
        if len(self._known) < _MOST_REASONS:
            self._known.add((city, reason))
        return (city, reason) if (city, reason) in self._known else ("-", "other reasons")


class Silences:
    """Silences as events: started at the last reading before them, ended by the next reading."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._begun: dict[str, int] = {}
        self._first = True

    def note(self, fell: Sequence[str], back: Sequence[str], heard: dict[str, int], now: int) -> list[Point]:
        """Events of devices that fell silent, or came back. `heard`: the newest reading of each, ms UTC.

        A list, because writing the events may fail in between, and the state kept here must not be changed halfway.
        """
        found = list(self._events(fell, [d for d in back if d in self._begun], heard, now))
        for device in back:
            self._begun.pop(device, None)
        return found

    def _events(self, fell: Sequence[str], back: Sequence[str], heard: dict[str, int], now: int) -> Iterator[Point]:
        first, self._first = self._first, False
        self._begun |= {device: heard[device] for device in fell}
        if len(fell) <= _NAMED:
            yield from (self._silence(device, None) for device in fell)
        elif not first:
            yield self._together(fell, "fell silent", None)
        if len(back) <= _NAMED:
            yield from (self._silence(device, now) for device in back)
        else:
            yield self._together(back, "were silent", now)

    def _together(self, devices: Sequence[str], what: str, until: int | None) -> Point:
        """One event of many devices, from the last reading of the first of them."""
        text = f"{len(devices)} devices {what}: {', '.join(devices[:_NAMED])} and {len(devices) - _NAMED} more"
        return _event(self._city.id, "outage", "-", text, min(self._begun[d] for d in devices), until)

    def _silence(self, device: str, until: int | None) -> Point:
        text = f"{device} was silent" if until else f"{device} is silent"
        return _event(self._city.id, "outage", device, text, self._begun[device], until)
