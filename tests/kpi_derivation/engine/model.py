"""What the KPIs must be, computed again with plain loops: no windows, no hours kept, no code shared with the engine.

All readings of a city are at hand at once. A reading is (device, quantity, t in ms, value, key, accepted).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import groupby, pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

HOUR = 3_600_000.0


class Reading(NamedTuple):
    device: str
    quantity: str
    t: int
    value: float
    key: int
    accepted: bool


class Device(NamedTuple):
    id: str
    kind: str
    quantities: tuple[str, ...]
    interval_s: float | None
    connectors: int = 1


class Model:
    """A city's readings, ready to be asked for periods given by their first and last civil day."""

    def __init__(
        self, zone: str, devices: list[Device], readings: Iterable[Reading], hour_capture: float, period_capture: float
    ) -> None:
        self.zone, self.devices = ZoneInfo(zone), devices
        self.hour_capture, self.period_capture = hour_capture, period_capture
        self.series: dict[tuple[str, str], list[Reading]] = defaultdict(list)
        for r in sorted(set(readings), key=lambda r: (r.t, r.key)):
            if r.accepted:
                self.series[r.device, r.quantity].append(r)
        self.intervals = {key: self._intervals(key) for key in self.series}

    # -- time ----------------------------------------------------------------------------------------------------

    def local(self, t: int) -> datetime:
        return datetime.fromtimestamp(t / 1000, UTC).astimezone(self.zone)

    def day(self, t: int) -> date:
        return self.local(t).date()

    def hour(self, t: int) -> int:
        """When the civil hour began, in UTC ms, so that the repeated hour of autumn is two."""
        offset = self.local(t).utcoffset() or timedelta(0)
        return t - (t + round(offset.total_seconds()) * 1000) % round(HOUR)

    def length(self, first: date, last: date) -> float:
        """Ms from the start of the first civil day to the end of the last."""
        ends = (datetime(d.year, d.month, d.day, tzinfo=self.zone) for d in (first, last + timedelta(days=1)))
        begin, end = (moment.astimezone(UTC) for moment in ends)
        return (end - begin) / timedelta(milliseconds=1)

    # -- how long a reading stands -----------------------------------------------------------------------------------

    def _steps(self, readings: list[Reading]) -> list[float]:
        """Each step of a day; the steps inside an hour count as that many times their mean."""
        out: list[float] = []
        for i, hour in enumerate(hours := self._by_hour(readings)):
            inside = len(hour) - 1
            out += [(hour[-1].t - hour[0].t) / inside] * inside if inside else []
            if i:
                out.append(float(hour[0].t - hours[i - 1][-1].t))
        return out

    def _by_hour(self, readings: list[Reading]) -> list[list[Reading]]:
        hours: dict[int, list[Reading]] = defaultdict(list)
        for r in readings:
            hours[self.hour(r.t)].append(r)
        return [hours[h] for h in sorted(hours)]

    def _intervals(self, key: tuple[str, str]) -> dict[date, float | None]:
        """Per day: the registry's interval, else the smaller of the day's and the device's median step."""
        days: dict[date, list[Reading]] = defaultdict(list)
        for r in self.series[key]:
            days[self.day(r.t)].append(r)
        fixed = next((d.interval_s for d in self.devices if d.id == key[0]), None)
        medians = {day: lower_median(self._steps(readings)) for day, readings in days.items()}
        typical = lower_median([m for m in medians.values() if m is not None])
        out: dict[date, float | None] = {}
        for day, median in medians.items():
            known = [m for m in (median, typical) if m is not None]
            out[day] = fixed * 1000.0 if fixed else min(known) if known else None
        return out

    # -- sums over a period ------------------------------------------------------------------------------------------

    def within(self, key: tuple[str, str], first: date, last: date) -> list[Reading]:
        return [r for r in self.series.get(key, []) if first <= self.day(r.t) <= last]

    def covered(self, hour: list[Reading], key: tuple[str, str]) -> float:
        interval = self.intervals[key][self.day(hour[0].t)]
        reach = HOUR if interval is None else interval
        return min(len(hour) * reach, max(reach, HOUR))

    def read(self, key: tuple[str, str], found: list[Reading]) -> float:
        """Ms for which the readings of a register stand: the time between them, day by day."""
        total = []
        for day, readings in groupby(found, key=lambda r: self.day(r.t)):
            hours, interval = self._by_hour(list(readings)), self.intervals[key][day]
            if interval is None or interval > HOUR:
                total += [self.covered(h, key) for h in hours]
                continue
            steps = [(h[-1].t - h[0].t, len(h) - 1) for h in hours]
            steps += [(b[0].t - a[-1].t, 1) for a, b in pairwise(hours)]
            total += [t if t <= (n + 0.5) * interval else min(n * interval, t) for t, n in steps]
            first, last = hours[0][0].t, hours[-1][-1].t
            total += [min(first - self.hour(first), interval), min(self.hour(last) + HOUR - last, interval)]
        return math.fsum(total)

    def hourly_means(self, key: tuple[str, str], first: date, last: date) -> list[float]:
        """Means of the valid hours."""
        hours = self._by_hour(self.within(key, first, last))
        valid = [h for h in hours if self.covered(h, key) >= self.hour_capture * HOUR - 1e-6]
        return [math.fsum(r.value for r in h) / len(h) for h in valid]

    def counted(self, key: tuple[str, str], first: date, last: date) -> float:
        """What a register counted in the period: the energy between two readings is spread over the time between."""
        begin, end = (
            datetime(d.year, d.month, d.day, tzinfo=self.zone).timestamp() * 1000
            for d in (first, last + timedelta(days=1))
        )
        total = []
        for a, b in pairwise(self.series.get(key, [])):
            step = b.value - a.value if b.value >= a.value else 0.0 if b.value > 0.9 * a.value else b.value
            inside = min(b.t, end) - max(a.t, begin)
            if inside > 0 and b.t > a.t:
                total.append(step * inside / (b.t - a.t))
        return math.fsum(total)

    # -- KPIs --------------------------------------------------------------------------------------------------------

    def air(self, quantity: str, first: date, last: date) -> tuple[float | None, float, int]:
        """Value, coverage, stations that count."""
        kinds = [d.kind for d in self.devices if quantity in d.quantities]
        kind = "air_reference" if "air_reference" in kinds else "air_lowcost"
        stations = [d for d in self.devices if d.kind == kind and quantity in d.quantities]
        expected = self.length(first, last) / HOUR
        captures, means = [], []
        for station in stations:
            hours = self.hourly_means((station.id, quantity), first, last)
            captures.append(len(hours) / expected)
            if hours and captures[-1] >= self.period_capture:
                means.append(math.fsum(hours) / len(hours))
        if not any(captures):
            return None, 0.0, 0
        coverage = math.fsum(min(c, 1.0) for c in captures) / len(captures)
        return (math.fsum(means) / len(means) if means else None), coverage, len(means)

    def metered(self, first: date, last: date) -> tuple[float | None, float, int]:
        """kWh, share of meter-time covered, meters that gave any."""
        kwh, covered, seen = [], [], 0
        meters = [
            d
            for d in self.devices
            if d.kind == "electricity_meter" and set(d.quantities) & {"energy_delta", "energy_total"}
        ]
        for meter in meters:
            delta = "energy_delta" in meter.quantities
            key = (meter.id, "energy_delta" if delta else "energy_total")
            found = self.within(key, first, last)
            if not found:
                continue
            seen += 1
            kwh.append(math.fsum(r.value for r in found) if delta else self.counted(key, first, last))
            covered.append(
                math.fsum(self.covered(h, key) for h in self._by_hour(found)) if delta else self.read(key, found)
            )
        if not seen:
            return None, 0.0, 0
        return math.fsum(kwh), math.fsum(covered) / (len(meters) * self.length(first, last)), seen

    def charging(self, first: date, last: date) -> dict[str, tuple[float | None, float, int]]:
        """Energy, sessions, utilisation of the period."""
        chargers = [d for d in self.devices if d.kind == "ev_charger"]
        found = {d.id: self.within((d.id, "session_energy"), first, last) for d in chargers}
        seen = sum(bool(s) for s in found.values())
        alive = [self._alive(d.id, first, last) for d in chargers]
        share = math.fsum(alive) / (len(chargers) * self.length(first, last)) if chargers else 0.0
        there = sum(a > 0 for a in alive)
        energy = math.fsum(r.value for s in found.values() for r in s)
        time = math.fsum(r.value for d in chargers for r in self.within((d.id, "connected_time"), first, last))
        known = seen or (chargers and share >= self.period_capture)
        present = math.fsum(d.connectors * a for d, a in zip(chargers, alive, strict=True))
        used = 100_000.0 * time / present if present and known and (time or not seen) else None
        return {
            "LOCAL:EV:ENERGY": (energy if known else None, share, there),
            "LOCAL:EV:SESSIONS": (float(sum(map(len, found.values()))) if known else None, share, there),
            "LOCAL:EV:UTILISATION": (used, share, there),
        }

    def _alive(self, device: str, first: date, last: date) -> float:
        """Ms of the period between the first day and the last day with a session of a charger."""
        days = [self.day(r.t) for r in self.series.get((device, "session_energy"), [])]
        if not days:
            return 0.0
        a, b = max(min(days), first), min(max(days), last)
        return self.length(a, b) if a <= b else 0.0


def lower_median(values: list[float]) -> Any:
    """The lower of the two in the middle; None of none."""
    return sorted(values)[(len(values) - 1) // 2] if values else None
