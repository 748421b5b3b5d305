"""The kinds of node, and of each sensor driver the options it takes: what `edge/README.md` says under Wiring.

The pins are the examples of that table, for a plain ESP32 development board. A test holds this table against the
drivers in `edge/firmware/sensors/`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from telemetry.errors import UsageError, nearest
from telemetry.untrusted import read_json

Sensor = dict[str, Any]


class Driver(NamedTuple):
    """Options with the values a new node gets, which of them it cannot do without, and what else it takes."""

    example: Mapping[str, Any]
    needs: frozenset[str]
    more: frozenset[str] = frozenset()

    @property
    def options(self) -> frozenset[str]:
        """Every option there is."""
        return frozenset(self.example) | self.needs | self.more


_LINE = frozenset({"baud", "bits", "parity", "invert", "rxbuf"})


def _uart(*more: str, **example: Any) -> Driver:  # noqa: ANN401 - JSON values
    pins = {"port": 1, "rx": 16, "tx": 17, **example}
    return Driver(pins, frozenset({"port", *example}), _LINE | set(more))


def _i2c(*more: str, **example: Any) -> Driver:  # noqa: ANN401 - JSON values
    return Driver({"bus": 0, "sda": 21, "scl": 22, **example}, frozenset({"sda", "scl", *example}), frozenset(more))


DRIVERS: dict[str, Driver] = {
    "pms5003": _uart(),
    "sds011": _uart(),
    "sps30": _uart(),
    "bme280": _i2c("address"),
    "sht4x": _i2c("address"),
    "scd41": _i2c("address"),
    "ads1115": _i2c("address", channels={"no2_we": 0, "no2_ae": 1, "o3_we": 2, "o3_ae": 3}),
    "pzem004t": _uart("unit"),
    "sdm630": _uart("unit"),
    "dsmr_p1": Driver({"port": 1, "rx": 16, "invert": True}, frozenset({"port"}), _LINE | {"tx", "crc"}),
    "s0": Driver({"pin": 4, "per_kwh": 1000}, frozenset({"pin"}), frozenset({"debounce_ms"})),
    "openevse": _uart(),
    "j1772": Driver({"pin": 34}, frozenset({"pin"}), frozenset({"zero_mv", "ratio"})),
    "modbus_evse": _uart("unit", model="abb_terra"),
}

# What a new node of a kind is given; another choice of drivers is the technician's.
KINDS: dict[str, tuple[str, ...]] = {
    "air": ("pms5003", "bme280"),
    "energy": ("pzem004t",),
    "ev": ("openevse",),
}


def sensors(kind: str, drivers: Sequence[str] = ()) -> list[Sensor]:
    """The `sensors` of a new node of a kind, or those asked for. Raises UsageError.

    A driver is asked for by its name, with options where they are to differ: `sds011,port=2,rx=25,tx=26`.
    """
    if kind not in KINDS:
        raise UsageError(f"There is no kind of node '{kind}'; {nearest(kind, KINDS)}")
    return [_sensor(text) for text in drivers or KINDS[kind]]


def _sensor(text: str) -> Sensor:
    name, *options = text.split(",")
    out = {"driver": name, **driver(name).example}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise UsageError(f"--driver '{text}': write options as key=value, as in sds011,port=2,rx=25,tx=26.")
        out[key] = value_of(value)
    return out


def value_of(text: str) -> Any:  # noqa: ANN401 - JSON
    """A value written on the command line: JSON, or else text."""
    try:
        return read_json(text)
    except ValueError:
        return text


def driver(name: str) -> Driver:
    """A driver by its name. Raises UsageError naming the nearest."""
    if name not in DRIVERS:
        raise UsageError(f"There is no driver '{name}'; {nearest(name, DRIVERS)}")
    return DRIVERS[name]


def faults(chosen: Sequence[Sensor]) -> list[str]:
    """What is wrong with the options of some sensors, as sentences; two sensors on one line are a fault too."""
    found, taken = [], dict[str, str]()
    for sensor in chosen:
        name = sensor["driver"]
        if name not in DRIVERS:
            found.append(f"There is no driver '{name}'; {nearest(name, DRIVERS)}")
            continue
        known, given = DRIVERS[name], set(sensor) - {"driver"}
        found += [f"{name} needs '{key}'." for key in sorted(known.needs - given)]
        found += [f"{name} has no option '{key}'; {nearest(key, known.options)}" for key in given - known.options]
        for line in _lines(sensor):
            if line in taken:
                found.append(f"{name} and {taken[line]} are both on {line}; give one of them another.")
            taken[line] = name
    return found


def _lines(sensor: Sensor) -> list[str]:
    """What only one sensor can have: its UART, its pins; an I2C bus is shared."""
    own = [(f"UART {sensor['port']}" if "port" in sensor else None)]
    own += [f"GPIO {sensor[key]}" for key in ("rx", "tx", "pin") if key in sensor]
    return [line for line in own if line]
