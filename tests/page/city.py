"""The made-up city of the page's tests: values of tests/api/city.py, and devices with positions, hours and faults.

Lindhaven has twelve stations of the air (one silent, one that stepped up), meters of streets and one of a home, ten
chargers (one out of order), and a device that is not registered.
"""

from __future__ import annotations

import math
from typing import Any

import msgspec
import numpy as np

from adapters.store import CityRecord, Store
from telemetry.kpi_value import StoredKpi
from telemetry.partials import fold
from telemetry.periods import Period
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import DAY, HOUR, MINUTE
from tests.api.city import CITY, NOW, config, kpi, seed

SILENT, ODD, FAULTY, HOME = "air_reference-12", "air_reference-03", "ev_charger-04", "electricity_meter-18"
UNREGISTERED = "air_reference-21"
DAYS, STATION_DAYS = 9, 75


def page_config() -> dict[str, Any]:
    """The city's file: devices of the values' city with positions; meters of streets with many customers."""
    found = config()
    found["city"]["electricity_meters_source"] = "invented"
    for i, device in enumerate(found["device"]):
        device["lat"] = round(59.30 + 0.011 * (i % 7) + 0.0013 * i, 5)
        device["lon"] = round(18.00 + 0.019 * (i % 5) + 0.0011 * i, 5)
        if device["kind"] == "electricity_meter":
            device["quantities"] = ["energy_delta", "power"]
            device["customers"] = 1 if device["id"] == HOME else 90
        if device["kind"] == "ev_charger":
            device["quantities"] = ["session_energy", "connector_state"]
    found["target"] = [
        {"code": "EN:EN:AQ:1C", "part": "pm2_5", "value": 5.0, "direction": "lower"},
        {"code": "EN:EN:AQ:1C", "part": "no2", "value": 30.0, "direction": "lower"},
        {"code": "EC:ICT:ES:1C", "value": 95.0, "direction": "higher"},
    ]
    found["device"][0]["calibration"] = [
        {"quantity": "no2", "valid_from": "2026-01-01", "gain": 1.0, "offset": 0.0, "version": 1, "note": "checked"}
    ]
    return found


def seed_page(store: Store) -> None:
    """Values, city and hours."""
    seed(store)
    store.put_city(CityRecord(CITY, page_config(), 60_000))
    store.put_kpis([_index()])
    put_devices(store, page_config()["device"])


def put_devices(store: Store, devices: list[dict[str, Any]]) -> None:
    """Hours of every quantity of these devices up to NOW, and quarters of an hour of meters; windows of six hours."""
    table, series, times, values = SeriesTable(), [], [], []
    for device in [*devices, {"id": UNREGISTERED, "kind": "air_reference", "quantities": ["no2"]}]:
        until = NOW - 3 * HOUR if device["id"] == SILENT else NOW
        days = STATION_DAYS if device["kind"] == "air_reference" else DAYS
        t = np.arange(NOW // HOUR * HOUR - days * DAY, until, 15 * MINUTE, dtype=np.int64)
        for quantity in device["quantities"]:
            mine = t if quantity != "session_energy" else t[t % DAY < 20 * MINUTE]
            series.append(np.full(len(mine), table.id_of(Series(CITY, device["id"], quantity)), dtype=np.int64))
            times.append(mine)
            values.append(_values(device["id"], quantity, mine))
            if quantity == "energy_delta":  # the engine stores it beside hours: what load curves are made from
                series.append(np.full(len(mine), table.id_of(Series(CITY, device["id"], "demand_15min"))))
                times.append(mine)
                values.append(values[-1])
    readings = Readings.of(np.concatenate(series), np.concatenate(times), np.concatenate(values))
    quarters = np.array([table[s].quantity == "demand_15min" for s in range(len(table))])[readings.series]
    for level, width, rows in (
        ("hour", HOUR, ~quarters),
        ("hour", 15 * MINUTE, quarters),
        ("window", 15 * MINUTE, ~quarters & (readings.t > NOW - 6 * HOUR)),
    ):
        kept = readings.take(np.flatnonzero(rows))
        store.put_partials(level, fold(kept, width, table.modulus(kept.series)), table)  # type: ignore[arg-type]


def _values(device: str, quantity: str, t: Any) -> Any:
    """A wave over the day; the odd station stepped up ten days ago."""
    phase = sum(map(ord, device)) % 10
    wave = 1 + 0.4 * np.sin(2 * math.pi * (t % DAY) / DAY + phase) + 0.05 * np.sin(t / 7e7 + phase)
    if quantity == "connector_state":
        return np.full(len(t), 3.0 if device == FAULTY else float(phase % 3))
    mean = {"pm2_5": 7.0, "no2": 20.0, "energy_delta": 9.0, "power": 36_000.0, "session_energy": 12.0}[quantity]
    stepped = (device == ODD) & (t > NOW - 10 * DAY)
    return mean * wave * np.where(stepped, 4.5, 1.0)


def _index() -> StoredKpi:
    """The European index of the last 24 hours, which the values' city does not have."""
    period = Period("24h", "24h", NOW - NOW % HOUR - DAY, NOW - NOW % HOUR)
    mean = kpi("EN:EN:AQ:1C", "no2", period)
    value = msgspec.structs.replace(
        mean, code="LOCAL:AQ:EAQI", part="", value=4.0, unit="/", method="eaqi-2024/2", notes="poor: no2"
    )
    return StoredKpi(kpi=value, changed=NOW, updated=NOW - 4000)
