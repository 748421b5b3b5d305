"""The physical quantities of CityVitals, one entry each: unit, kind and plausible range declared once.

Adding a quantity is adding one entry. Its readings and windows are stored from then on; days are kept of it only once a
KPI reads it (`kpi_derivation/engine/record.py`).

Ranges are those of the instruments, wide enough for the small negative values that reference analysers report around
zero (discarding those would bias a mean upwards).

ppb factors: U4SSC Verification Manual (2022), page 95; they are the publisher's own and mix reference temperatures.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

from telemetry.units import SAME, Conversion, between

Kind = Literal["gauge", "counter", "delta", "state"]
LEDGER = "ledger_"  # how the quantities of the loss ledger begin; accounts are counted from their first report on


class Quantity(NamedTuple):
    """One physical quantity.

    `low`/`high`: accepted values lie in [low, high]. `rollover`: the register's modulus in `unit`, for counters.
    `sentinels`: values that instruments send for "no value". `ug_per_ppb`: conversion for gases. `zero_is_missing`:
    a cumulative register that reads exactly 0 is not a reading; meters send it for a moment when they restart.
    `event`: readings are sent when something happens, so the time between them does not show gaps.
    """

    id: str
    title: str
    unit: str
    kind: Kind
    low: float
    high: float
    rollover: float = math.inf
    sentinels: tuple[float, ...] = ()
    ug_per_ppb: float | None = None
    zero_is_missing: bool = False
    event: bool = False


_SENTINELS = (-200.0, -999.0, -9999.0)


def _air(name: str, title: str, high: float, ug_per_ppb: float | None = None) -> Quantity:
    return Quantity(name, title, "ug/m3", "gauge", -15.0, high, sentinels=_SENTINELS, ug_per_ppb=ug_per_ppb)


def _counter(name: str, title: str, unit: str, high: float, rollover: float = math.inf) -> Quantity:
    return Quantity(name, title, unit, "counter", 0.0, high, rollover, zero_is_missing=unit != "count")


def _gauge(name: str, title: str, unit: str, low: float, high: float) -> Quantity:
    return Quantity(name, title, unit, "gauge", low, high, sentinels=_SENTINELS if low > -200 else ())


# Interruptions are stored in classes of their length, so that the limit of a sustained one remains a rule.
INTERRUPTION_CLASSES = ("to_1min", "to_3min", "to_5min", "over_5min")

# Why gateways reject, by the kind in the name of their counters.
REJECT_KINDS = {
    "limit": "over a limit",
    "time": "time cannot be right",
    "unit": "unit not understood",
    "name": "unknown quantity, device or source",
    "value": "no usable value",
    "unreadable": "cannot be read",
    "other": "other reasons",
}

# Series that the engine derives, and from which; the first one that a device has is used.
DERIVED_FROM: dict[str, tuple[str, ...]] = {
    "demand_15min": ("energy_delta", "energy_total", "power"),
    "sound_energy": ("laeq",),
    "connector_fault": ("connector_state",),
}

_ALL = (
    _air("pm1", "Particles up to 1 µm (PM1)", 998.9),
    # The SDS011 and similar sensors report 999.9 and 1999.9 when saturated.
    _air("pm2_5", "Fine particles (PM2.5)", 998.9),
    _air("pm10", "Particles up to 10 µm (PM10)", 1998.9),
    _air("no2", "Nitrogen dioxide (NO₂)", 2000.0, 1.9),
    _air("o3", "Ozone (O₃)", 1000.0, 1.96),
    _air("so2", "Sulphur dioxide (SO₂)", 5000.0, 2.62),
    Quantity("co", "Carbon monoxide (CO)", "mg/m3", "gauge", -1.0, 200.0, sentinels=_SENTINELS, ug_per_ppb=1.165),
    _air("nox", "Nitrogen oxides (NOx)", 5000.0, 1.9),
    _air("c6h6", "Benzene (C₆H₆)", 500.0),
    _gauge("co2", "Carbon dioxide (CO₂)", "ppm", 200.0, 40000.0),
    _gauge("temperature", "Air temperature", "Cel", -60.0, 70.0),
    # Air outdoors is never at 0 %: unplugged sensors report it.
    _gauge("humidity", "Relative humidity", "%RH", 0.0, 100.0)._replace(sentinels=(*_SENTINELS, 0.0)),
    _gauge("pressure", "Air pressure", "hPa", 500.0, 1100.0),
    _air("pm4", "Particles up to 4 µm (PM4)", 1998.9),
    _gauge("voc_index", "Volatile organic compounds (index)", "/", 0.0, 500.0),
    _gauge("nox_index", "Nitrogen oxides (index)", "/", 0.0, 500.0),
    _gauge("voc_raw", "Volatile organic compounds (raw signal)", "/", 0.0, 65535.0),
    _gauge("nox_raw", "Nitrogen oxides (raw signal)", "/", 0.0, 65535.0),
    _gauge("gas_resistance", "Resistance of a gas sensor", "Ohm", 0.0, 1e9),
    _gauge("laeq", "Equivalent sound level (LAeq)", "dB", 10.0, 140.0),
    _gauge("la10", "Sound level exceeded 10 % of the time (LA10)", "dB", 10.0, 140.0),
    _gauge("la90", "Sound level exceeded 90 % of the time (LA90)", "dB", 10.0, 140.0),
    _gauge("wind_speed", "Wind speed", "m/s", 0.0, 120.0),
    _gauge("wind_gust", "Wind gust", "m/s", 0.0, 120.0),
    _gauge("wind_direction", "Direction from which the wind blows, clockwise from north", "deg", 0.0, 360.0),
    _counter("rain_total", "Rain since the gauge was started", "mm", 1e7),
    _gauge("no2_we", "NO₂ cell, working electrode", "mV", -500.0, 5000.0),
    _gauge("no2_ae", "NO₂ cell, auxiliary electrode", "mV", -500.0, 5000.0),
    _gauge("o3_we", "O₃ cell, working electrode", "mV", -500.0, 5000.0),
    _gauge("o3_ae", "O₃ cell, auxiliary electrode", "mV", -500.0, 5000.0),
    _counter("energy_total", "Energy imported (meter register)", "kWh", 1e9),
    _counter("energy_export_total", "Energy exported (meter register)", "kWh", 1e9),
    Quantity("energy_delta", "Energy in the interval", "kWh", "delta", 0.0, 10000.0),
    _gauge("power", "Active power", "W", -1e7, 1e7),
    _gauge("voltage", "Voltage", "V", 0.0, 1000.0),
    _gauge("current", "Current", "A", -5000.0, 5000.0),
    *(_gauge(f"voltage_l{n}", f"Voltage of phase {n}", "V", 0.0, 1000.0) for n in (2, 3)),
    *(_gauge(f"current_l{n}", f"Current of phase {n}", "A", -5000.0, 5000.0) for n in (2, 3)),
    *(_gauge(f"power_l{n}", f"Active power of phase {n}", "W", -1e7, 1e7) for n in (1, 2, 3)),
    _gauge("frequency", "Mains frequency", "Hz", 40.0, 70.0),
    _gauge("power_factor", "Power factor", "/", -1.0, 1.0),
    _counter("pulses", "Meter pulses", "count", 1e12),
    Quantity("session_energy", "Energy of a charging session", "kWh", "delta", 0.0, 500.0, event=True),
    Quantity("connected_time", "Time a vehicle was connected", "s", "delta", 0.0, 3600.0, event=True),
    Quantity(
        "connector_state",
        "Connector state (0 free, 1 connected, 2 charging, 3 fault)",
        "/",
        "state",
        0.0,
        15.0,
    ),
    Quantity("demand_15min", "Energy in a quarter of an hour (derived)", "kWh", "delta", 0.0, 1e6, event=True),
    _gauge("sound_energy", "Sound energy, relative (derived)", "/", 0.0, 1e15),
    _gauge("connector_fault", "Share of readings with state fault (derived)", "/", 0.0, 1e6),
    *(
        Quantity(f"{what}_{cls}", title, unit, "delta", 0.0, 1e12, event=True)
        for what, title, unit in (
            ("interrupted", "Customers interrupted", "count"),
            ("interruption", "Customer minutes interrupted", "min"),
        )
        for cls in INTERRUPTION_CLASSES
    ),
    _counter("power_failures", "Power failures (meter register)", "count", 1e9),
    _counter("power_failures_long", "Long power failures (meter register)", "count", 1e9),
    Quantity("power_failure", "Length of a power failure that ended", "s", "delta", 0.0, 3.2e7, event=True),
    _counter("gas_total", "Gas volume (meter register)", "m3", 1e9),
    _counter("water_total", "Water volume (meter register)", "m3", 1e9),
    _counter("heat_total", "Heat energy (meter register)", "kWh", 1e9),
    _gauge("turbidity", "Turbidity of water", "NTU", 0.0, 4000.0),
    _gauge("free_chlorine", "Free chlorine in water", "mg/l", 0.0, 20.0),
    _gauge("ph", "Acidity of water (pH)", "pH", 0.0, 14.0),
    _gauge("conductivity", "Electrical conductivity of water", "uS/cm", 0.0, 200_000.0),
    _gauge("field_strength", "Electric field strength, root mean square", "V/m", 0.0, 1000.0),
    Quantity("waste_mass", "Mass of a delivery of waste", "t", "delta", 0.0, 200.0, event=True),
    Quantity("vehicles", "Vehicles in the interval", "count", "delta", 0.0, 1e5),
    Quantity("vehicles_low_carbon", "Low-carbon passenger vehicles in the interval", "count", "delta", 0.0, 1e5),
    Quantity("vehicles_electric", "Battery-electric passenger vehicles in the interval", "count", "delta", 0.0, 1e5),
    Quantity("vehicles_classified", "Passenger vehicles of a known class in the interval", "count", "delta", 0.0, 1e5),
    _gauge("travel_time", "Travel time along a section of road", "s", 1.0, 36_000.0),
    _gauge("heap_free", "Free memory of the node", "B", 0.0, 1e9),
    _gauge("uptime", "Time since the node started", "s", 0.0, 4e9),
    _gauge("boots", "Starts of the node", "count", 0.0, 4e9),
    Quantity("reset_cause", "Reset cause", "/", "state", 0.0, 64.0),
    _gauge("channels", "Meters of the node that answered", "count", 0.0, 1000.0),
    _gauge("rssi", "Received signal strength", "dBm", -150.0, 20.0),
    _gauge("battery", "Battery voltage of the node", "V", 0.0, 60.0),
    _gauge("ring_fill", "Fill of the node's flash ring", "%", 0.0, 100.0),
    _counter("ring_dropped", "Records dropped by the node", "count", 1e12),
    _gauge("clock_offset", "Correction at the last clock synchronisation", "s", -4e9, 4e9),
    _counter("gw_received", "Messages received by the gateway", "count", 1e15),
    _counter("gw_stored", "Readings stored by the gateway", "count", 1e15),
    _counter("gw_duplicate", "Duplicate readings", "count", 1e15),
    _counter("gw_rejected", "Messages or readings rejected", "count", 1e15),
    *(_counter(f"gw_rejected_{kind}", f"Rejected: {why}", "count", 1e15) for kind, why in REJECT_KINDS.items()),
    _counter("gw_not_served", "Messages of cities or devices that the gateway does not serve", "count", 1e15),
    _counter("gw_flagged", "Readings flagged by quality control", "count", 1e15),
    _counter("gw_dropped", "Windows deleted unsent because the disk was full", "count", 1e15),
    _gauge("gw_dirty", "Windows not confirmed by the store", "count", 0.0, 1e12),
    _gauge("gw_disk_free", "Free space on the gateway's disk", "%", 0.0, 100.0),
    _gauge("gw_cert_days", "Days until the gateway's first certificate ends", "d", -4e4, 4e4),
    _gauge("gw_lag", "Age of the oldest unconfirmed window", "s", 0.0, 4e9),
    _counter("ledger_sent", "Records numbered by the device", "count", 1e15),
    _counter("ledger_received", "Numbered records received", "count", 1e15),
    _counter("ledger_duplicate", "Duplicate numbered records", "count", 1e15),
    _counter("ledger_refused", "Numbered records that were rejected", "count", 1e15),
    _counter("ledger_recovered", "Numbered records received after later ones", "count", 1e15),
    _gauge("ledger_missing", "Numbered records that have not arrived", "count", 0.0, 1e15),
)

QUANTITIES: dict[str, Quantity] = {q.id: q for q in _ALL}


def conversion(quantity: Quantity, unit: str) -> Conversion | None:
    """How to bring `unit` to the quantity's catalogue unit; None when that unit does not fit the quantity."""
    return SAME if unit == quantity.unit else between(unit, quantity.unit, quantity.ug_per_ppb)


def modulus(quantity: str) -> float:
    """The quantity's rollover for counter arithmetic: NaN where it is not a counter, inf where it never rolls over."""
    entry = QUANTITIES[quantity]
    return entry.rollover if entry.kind == "counter" else math.nan
