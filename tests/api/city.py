"""A small made-up city with values of every kind, for the tests of the API and the page.

The values are smooth functions of the date: plausible to look at, the same on every run.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from adapters.store import CityRecord, Level, Store
from kpi_derivation.catalogue import DERIVATIONS
from telemetry.kpi_value import KpiValue, StoredKpi
from telemetry.partials import fold
from telemetry.periods import CALENDAR, Period, calendar_period, days_between, midnight
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE

CITY = "lindhaven"
ZONE = ZoneInfo("Europe/Stockholm")
TODAY = date(2026, 6, 18)
NOW = midnight(TODAY, ZONE) + 14 * HOUR + 20 * 60_000
FIRST = date(2025, 1, 1)

# (code, part): mean of a day, seasonal swing, devices
SHAPES = {
    ("EN:EN:AQ:1C", "pm2_5"): (6.4, 0.3, 12),
    ("EN:EN:AQ:1C", "pm10"): (12.8, 0.25, 12),
    ("EN:EN:AQ:1C", "no2"): (21.5, 0.35, 9),
    ("EN:EN:AQ:1C", "o3"): (52.0, -0.35, 6),
    ("EN:EN:AQ:1C", "so2"): (2.7, 0.2, 1),
    ("EN:E:E:2C", ""): (13.1, 0.25, 18),
    ("EC:ICT:ES:1C", ""): (85.7, 0.0, 18),
    ("LOCAL:E:METERED", ""): (8420.0, 0.25, 18),
    ("LOCAL:EV:ENERGY", ""): (612.0, 0.1, 10),
    ("LOCAL:EV:SESSIONS", ""): (57.0, 0.1, 10),
    ("LOCAL:EV:UTILISATION", ""): (23.4, 0.1, 10),
}
_SUMS = ("EN:E:E:2C", "LOCAL:E:METERED", "LOCAL:EV:ENERGY", "LOCAL:EV:SESSIONS")


def config(city: str = CITY, name: str = "Lindhaven") -> dict[str, Any]:
    """The city's file as plain data."""
    kinds = [("air_reference", 12, ["pm2_5", "no2"]), ("electricity_meter", 18, ["energy_total"])]
    kinds.append(("ev_charger", 10, ["session_energy"]))
    devices = [
        {"id": f"{kind}-{i + 1:02}", "site": f"Site {i + 1}", "kind": kind, "quantities": quantities}
        for kind, count, quantities in kinds
        for i in range(count)
    ]
    denominators = {
        "id": city,
        "name": name,
        "country": "SE",
        "timezone": ZONE.key,
        "population": 48200,
        "electricity_meters": 21,
    }
    return {"city": denominators, "rules": {"period_capture": 0.75}, "device": devices}


def seed(store: Store, city: str = CITY, name: str = "Lindhaven") -> None:
    """Put the city and its values into the store."""
    store.put_city(CityRecord(city, config(city, name), 60_000))
    store.put_kpis(StoredKpi(kpi=v, changed=NOW, updated=NOW - 4000) for v in values(city))


STATION = ("air_reference-01", "no2")


def put_hours(store: Store, times: list[int], of: tuple[str, str] = STATION) -> None:
    """Hours with a reading at these times. `of`: device and quantity."""
    _put(store, "hour", times, of)


def put_windows(store: Store, times: list[int], of: tuple[str, str] = STATION) -> None:
    """One-minute windows with a reading at these times."""
    _put(store, "window", times, of)


def _put(store: Store, level: Level, times: list[int], of: tuple[str, str]) -> None:
    table = SeriesTable([Series(CITY, *of)])
    readings = Readings.of([0] * len(times), times, [20.0] * len(times))
    width = HOUR if level == "hour" else MINUTE
    store.put_partials(level, fold(readings, width, table.modulus(readings.series)), table)


def values(city: str = CITY) -> Iterator[KpiValue]:
    """A year and a half of values of all kinds."""
    periods = {calendar_period(kind, day, ZONE) for kind in CALENDAR for day in days_between(FIRST, TODAY)}
    end = NOW - NOW % HOUR
    today = midnight(TODAY, ZONE)
    rolling = {Period("24h", "24h", end - DAY, end), Period("365d", "365d", today - 365 * DAY, today)}
    for period in sorted(periods | rolling, key=lambda p: (p.kind, p.start)):
        for code, part in SHAPES:
            yield kpi(code, part, period, city)


def kpi(code: str, part: str, period: Period, city: str = CITY, **changes: Any) -> KpiValue:
    """One value; `changes` replaces fields. Sulphur dioxide has too little data for anything longer than a month."""
    mean, swing, devices = SHAPES[code, part]
    derivation = DERIVATIONS[code]
    scarce = part == "so2" and period.end - period.start > 40 * DAY
    coverage = (
        0.61 if scarce else 1.0 if code == "EC:ICT:ES:1C" else 0.96 + 0.039 * math.sin(period.start / 3.1e8 + mean)
    )
    value = KpiValue(
        city=city,
        code=code,
        part=part,
        period=period.label,
        kind=period.kind,
        start=period.start,
        end=period.end,
        value=None if scarce else _value(code, mean, swing, period),
        unit=derivation.kpi.unit if period.kind in ("year", "365d") or code != "EN:E:E:2C" else "kWh/capita",
        coverage=coverage,
        status="insufficient" if scarce else "final" if period.end < NOW - 72 * HOUR else "provisional",
        n_devices=0 if scarce else devices,
        method=derivation.method,
        notes="left out, capture under 75 %: air_reference-04 61.04 %" if scarce else "",
    )
    return msgspec.structs.replace(value, **changes)


def _value(code: str, mean: float, swing: float, period: Period) -> float:
    """The mean over the period's passed days; sums add them up."""
    passed = max(min(period.end, NOW) - period.start, HOUR) / DAY
    days = [_day(mean, swing, period.start + i * DAY) for i in range(max(1, math.ceil(passed)))]
    average = sum(days) / len(days)
    return average * passed if code in _SUMS else average


def _day(mean: float, swing: float, t: int) -> float:
    days = t / DAY
    season = 1 + swing * math.cos(2 * math.pi * (days - 20) / 365.25)
    weather = 1 + (0.55 * math.sin(days * 0.9) * math.sin(days * 0.37) + 0.25 * math.sin(days * 2.3)) * abs(swing)
    return mean * season * weather
