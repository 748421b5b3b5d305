"""What the store must hold and which KPIs must come out, computed from what the nodes wrote. Plain Python.

Independent on purpose: nothing of the gateway, the partials or the KPI engine is used here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

MINUTE, HOUR = 60_000, 3_600_000
ZONE = ZoneInfo("Europe/Oslo")

SeriesName = tuple[str, str]  # device, quantity


class Reading(NamedTuple):
    """One value of a device. `key` distinguishes sessions that start together."""

    device: str
    quantity: str
    t: int
    key: str
    value: float


class Window(NamedTuple):
    """What a minute or an hour of a series must add up to."""

    n: int
    sum: float
    low: float
    high: float
    first: float
    last: float


def readings(device: str, entries: Iterable[dict[str, Any]]) -> Iterator[Reading]:
    """The readings of one record's SenML entries."""
    t = 0
    for entry in entries:
        t = round(entry["bt"] * 1000) if "bt" in entry else t
        yield Reading(device, entry["n"], t, entry.get("key", ""), entry["v"])
        if "end" in entry:
            begin, end = t, round(entry["end"] * 1000)
            while begin < end:
                until = min((begin // HOUR + 1) * HOUR, end)
                yield Reading(device, "connected_time", begin, entry["key"], (until - begin) / 1000)
                begin = until


def windows(sent: Iterable[Reading], width: int = MINUTE) -> dict[tuple[SeriesName, int], Window]:
    """The windows of `width` ms of all series; the same reading twice is one."""
    values: dict[tuple[SeriesName, int], list[float]] = defaultdict(list)
    for r in sorted(set(sent), key=lambda r: r.t):
        values[(r.device, r.quantity), r.t // width * width].append(r.value)
    return {place: Window(len(v), sum(v), min(v), max(v), v[0], v[-1]) for place, v in values.items()}


def kpis(sent: Iterable[Reading]) -> dict[tuple[str, str, str], float]:
    """(code, part, period) -> value, for days, months and years."""
    by_series: dict[SeriesName, list[Reading]] = defaultdict(list)
    for r in sorted(set(sent), key=lambda r: r.t):
        by_series[r.device, r.quantity].append(r)
    out: dict[tuple[str, str, str], float] = {}
    _energy(by_series, out)
    _sessions(by_series, out)
    for quantity in ("no2", "pm2_5", "pm10"):
        _air(quantity, by_series, out)
    return out


def periods(t: int) -> tuple[str, str, str]:
    """Labels of the day, month and year of a time, in the city's time."""
    day = datetime.fromtimestamp(t / 1000, UTC).astimezone(ZONE)
    return f"{day:%Y-%m-%d}", f"{day:%Y-%m}", f"{day:%Y}"


def step(before: float, after: float) -> float:
    """What a register counted; one that fell by a tenth or more started from zero."""
    if after >= before:
        return after - before
    return 0.0 if after > 0.9 * before else after


def _energy(series: dict[SeriesName, list[Reading]], out: dict[tuple[str, str, str], float]) -> None:
    total: dict[str, float] = defaultdict(float)
    for (_, quantity), rows in series.items():
        if quantity == "energy_total":
            for before, after in zip([rows[0], *rows], rows, strict=False):
                for t, share in _by_day(before.t, after.t):
                    for period in periods(t):
                        total[period] += share * step(before.value, after.value)
    out.update({("LOCAL:E:METERED", "", period): kwh for period, kwh in total.items()})


def _by_day(start: int, end: int) -> Iterator[tuple[int, float]]:
    """The days between two readings, each by its first moment there, and the share of the time that lies in it."""
    if start == end:
        yield start, 1.0
    t = start
    while t < end:
        local = datetime.fromtimestamp(t / 1000, UTC).astimezone(ZONE)
        next_day = datetime(local.year, local.month, local.day, tzinfo=ZONE) + timedelta(days=1)
        until = min(round(next_day.timestamp() * 1000), end)
        yield t, (until - t) / (end - start)
        t = until


def _sessions(series: dict[SeriesName, list[Reading]], out: dict[tuple[str, str, str], float]) -> None:
    for (_, quantity), rows in series.items():
        if quantity == "session_energy":
            for r in rows:
                for period in periods(r.t):
                    for code, amount in (("LOCAL:EV:ENERGY", r.value), ("LOCAL:EV:SESSIONS", 1.0)):
                        out[code, "", period] = out.get((code, "", period), 0.0) + amount


def _air(quantity: str, series: dict[SeriesName, list[Reading]], out: dict[tuple[str, str, str], float]) -> None:
    stations: dict[str, list[float]] = defaultdict(list)
    for (_, name), rows in series.items():
        if name != quantity:
            continue
        hours: dict[int, list[float]] = defaultdict(list)
        for r in rows:
            hours[r.t // HOUR * HOUR].append(r.value)
        mine: dict[str, list[float]] = defaultdict(list)
        for hour, values in hours.items():
            for period in periods(hour):
                mine[period].append(sum(values) / len(values))
        for period, means in mine.items():
            stations[period].append(sum(means) / len(means))
    out.update({("EN:EN:AQ:1C", quantity, period): sum(m) / len(m) for period, m in stations.items()})
