"""The kinds of node, and the sensors of a new one: drivers with their options and the pins of its board.

Everything about a driver is what its own file declares (`drivers.py`); pins come from the board (`boards.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from edge.tools.boards import BOARDS, RECOMMENDED, Board, board, pin_problems
from edge.tools.drivers import PAGE, Driver, driver, drivers, with_table
from telemetry.errors import UsageError, nearest
from telemetry.untrusted import read_json

Sensor = dict[str, Any]
KINDS = {"air": "air", "energy": "energy", "ev": "charger", "weather": "weather"}


def first_choice(kind: str) -> tuple[str, ...]:
    """The drivers that a new node of a kind gets; another choice is the technician's. Raises UsageError."""
    if kind not in KINDS:
        raise UsageError(f"'{kind}' is not a kind of node; {nearest(kind, KINDS)}")
    of_kind = [one for one in drivers().values() if one.kind == KINDS[kind] and one.first]
    return tuple(one.name for one in sorted(of_kind, key=lambda one: one.bus != "uart"))


def sensors(kind: str, wanted: Sequence[str] = (), on: str = RECOMMENDED) -> list[Sensor]:
    """The `sensors` of a new node of a kind, or those asked for, with free pins of a board. Raises UsageError.

    A driver is selected by its name, with options that differ from its defaults: `sds011,port=2,rx=16,tx=15`.
    """
    first = first_choice(kind)
    place = _Pins(board(on))
    return [_sensor(text, place) for text in wanted or first]


class _Pins:
    """Gives each sensor the next free pins; meters on RS-485 and chips on I2C share theirs."""

    def __init__(self, on: Board) -> None:
        self.on = on
        self._lines = list(on.lines)
        self._rs485: dict[str, int] | None = None
        self._pulse, self._analog = list(on.pulse), list(on.analog)

    def of(self, one: Driver) -> dict[str, int]:
        """The pins of a sensor. Raises UsageError when the board has no more."""
        if one.bus == "i2c":
            return {"bus": 0, "sda": self.on.i2c[0], "scl": self.on.i2c[1]}
        if one.bus == "i2s":
            return dict(zip(("sck", "ws", "sd"), self.on.i2s, strict=True))
        if one.bus == "spi":
            return dict(zip(("sck", "mosi", "miso", "cs"), self.on.spi, strict=True))
        if one.bus == "rs485":
            self._rs485 = self._rs485 or self._line(one)
            return dict(self._rs485)
        if one.bus == "uart":
            return self._line(one)
        pins = self._analog if one.bus == "adc" else self._pulse
        if not pins:
            raise UsageError(f"{one.name}: the {self.on.title} has no more pins for it; give its pin yourself.")
        return {"pin": pins.pop(0)}

    def _line(self, one: Driver) -> dict[str, int]:
        if not self._lines:
            raise UsageError(f"{one.name}: the {self.on.title} has no more serial lines.")
        port, rx, tx = self._lines.pop(0)
        out = {"port": port, "rx": rx, "tx": tx}
        if "no tx" in one.wiring:
            del out["tx"]
        return out


# By bus: options that show that the technician has chosen the pins.
_GIVEN = {"uart": {"port"}, "rs485": {"port"}, "i2c": {"sda", "scl"}, "i2s": {"sck", "ws", "sd"}, "spi": {"cs"}}


def _sensor(text: str, place: _Pins) -> Sensor:
    name, *options = text.split(",")
    one = driver(name)
    given = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals:
            raise UsageError(f"--driver '{text}': write options as key=value, as in sds011,port=2,rx=16,tx=15.")
        given[key] = value_of(value)
    pins = {} if _GIVEN.get(one.bus, {"pin"}) <= set(given) else place.of(one)
    invert = {"invert": True} if one.options.get("invert") else {}
    return {"driver": name, **pins, **invert, **one.needs, **given}


def value_of(text: str) -> Any:  # noqa: ANN401 - JSON
    """A value written on the command line: JSON, or else text."""
    try:
        return read_json(text)
    except ValueError:
        return text


def faults(chosen: Sequence[Sensor], on: str = "") -> list[str]:
    """What is wrong with the options of some sensors, as sentences; `on`: the board, whose pins are checked too.

    Two sensors on one serial line are a fault unless it is RS-485 and their unit or channel differs.
    """
    found: list[str] = []
    lines: dict[str, Sensor] = {}
    for sensor in chosen:
        name = sensor["driver"]
        if name not in drivers():
            found.append(f"'{name}' is not a driver; {nearest(name, drivers())}")
            continue
        one, given = drivers()[name], set(sensor) - {"driver"}
        found += [f"{name} needs '{key}'." for key in sorted(one.required - given)]
        found += [f"{name} does not have the option '{key}'; {nearest(key, one.known)}" for key in given - one.known]
        if on:
            found += pin_problems(name, sensor, board(on), one.bus)
        for line in _lines(sensor):
            if line in lines:
                found += _shared(line, lines[line], sensor)
            lines[line] = sensor
    return found + _same_quantities(chosen)


def _shared(line: str, first: Sensor, second: Sensor) -> list[str]:
    """Two sensors on one line."""
    names = f"{second['driver']} and {first['driver']}"
    if any(drivers()[one["driver"]].bus != "rs485" for one in (first, second)):
        return [f"{names} are both on {line}; give one of them another."]
    if not line.startswith("UART"):
        return []
    if first.get("unit", 1) == second.get("unit", 1):
        return [f"{names} on {line} both have the Modbus address (unit) {first.get('unit', 1)}."]
    return []


def _same_quantities(chosen: Sequence[Sensor]) -> list[str]:
    """Meters whose registers would be mixed up."""
    seen: dict[tuple[str, str], str] = {}
    found = []
    for sensor in chosen:
        name = sensor["driver"]
        if name in drivers() and drivers()[name].bus == "rs485":
            key = (sensor.get("channel", ""), "energy_total")
            if key in seen:
                found.append(f"{name}: two meters report energy_total; give each a 'channel', as in channel=flat-3.")
            seen[key] = name
    return found


_PINS = ("rx", "tx", "pin", "sck", "ws", "sd", "mosi", "miso", "cs")


def _lines(sensor: Sensor) -> list[str]:
    """What only one sensor can have: its UART, its pins; an I2C bus is shared."""
    own = [(f"UART {sensor['port']}" if "port" in sensor else None)]
    own += [f"GPIO {sensor[key]}" for key in _PINS if key in sensor]
    return [line for line in own if line]


def boards_table() -> str:
    """Which driver has pins on which board, for `docs/firmware/node-json.md`; the tests read each on the model."""
    names = list(BOARDS)
    out = [f"| driver | {' | '.join(names)} |", f"|---{'|---' * len(names)}|"]
    for name in sorted(drivers()):
        out.append(f"| `{name}` | {' | '.join(_cell(name, on) for on in names)} |")
    return "\n".join(out) + "\n"


def _cell(name: str, on: str) -> str:
    try:
        made = sensors(next(iter(KINDS)), [name], on)
    except UsageError:
        return "no"
    pins = ", ".join(f"{key} {made[0][key]}" for key in ("port", "bus", *_PINS) if key in made[0])
    return f"yes ({pins})" if not faults(made, on) else "no"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), "boards", boards_table()), encoding="utf-8")
