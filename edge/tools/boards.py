"""The boards that a node can run on: which pins they have, and which the tools choose.

From MicroPython's ESP32 port and the modules' data sheets. A pin that a module needs for itself is refused before the
board is flashed, because it would crash there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from telemetry.errors import UsageError, nearest


class Board(NamedTuple):
    """One board. `pins`: those that exist; `reads`: those that cannot be outputs; `taken`: pins that the module uses,
    with what for; `analog`: pins with a converter that works beside Wi-Fi; `lines`: UART number, rx, tx by preference.
    """

    name: str
    title: str
    pins: frozenset[int]
    reads: frozenset[int]
    taken: Mapping[int, str]
    analog: tuple[int, ...]
    lines: tuple[tuple[int, int, int], ...]
    i2c: tuple[int, int]  # sda, scl of bus 0
    pulse: tuple[int, ...]
    i2s: tuple[int, int, int]  # sck, ws, sd
    spi: tuple[int, int, int, int]  # sck, mosi, miso, cs
    has_counter: bool  # MicroPython's machine.Counter
    button: int  # the button BOOT, to ground
    ethernet: tuple[int, ...]  # pins of the chip's own Ethernet interface; empty where it has none


def _taken(*groups: tuple[str, tuple[int, ...]]) -> dict[int, str]:
    return {pin: what for what, pins in groups for pin in pins}


BOARDS = {
    board.name: board
    for board in (
        Board(
            "esp32s3", "ESP32-S3 with PSRAM (recommended)", frozenset((*range(22), 26, *range(33, 49))), frozenset(),
            _taken(
                ("flash", tuple(range(26, 33))), ("octal flash or PSRAM", (33, 34, 35, 36, 37)), ("USB", (19, 20)),
                ("console", (43, 44)), ("strapping", (0, 3, 45, 46)),
            ),
            (4, 5, 6, 7, 1, 2, 10), ((1, 18, 17), (2, 16, 15)), (8, 9), (21, 47, 38, 39), (12, 13, 14),
            (40, 41, 42, 11), True, 0, (),
        ),
        Board(
            "esp32", "plain ESP32 (WROOM)", frozenset((*range(24), 25, 26, 27, *range(32, 40))),
            frozenset(range(34, 40)),
            _taken(("flash", tuple(range(6, 12))), ("console", (1, 3)), ("strapping", (0, 2, 12, 15))),
            (34, 35, 32, 33, 36, 39), ((1, 16, 17), (2, 25, 26)), (21, 22), (4, 27, 13, 18), (14, 19, 23),
            (18, 23, 19, 5), True, 0, (0, 19, 21, 22, 25, 26, 27),
        ),
        Board(
            "esp32c3", "ESP32-C3", frozenset((*range(14), 20, 21)), frozenset(),
            _taken(
                ("flash", (11, 12, 13)), ("USB", (18, 19)), ("console", (20, 21)), ("strapping", (2, 8, 9)),
            ),
            (3, 4, 1, 0), ((1, 5, 4),), (6, 7), (10, 3, 1, 0), (0, 1, 3), (4, 6, 5, 7), False, 9, (),
        ),
    )
}  # fmt: skip
RECOMMENDED = "esp32s3"


def board(name: str) -> Board:
    """A board by its name. Raises UsageError naming the nearest."""
    if name not in BOARDS:
        raise UsageError(f"'{name}' is not a board; {nearest(name, BOARDS)}")
    return BOARDS[name]


def pin_problems(name: str, options: Mapping[str, Any], on: Board, bus: str) -> list[str]:
    """What is wrong with the pins of one sensor on this board, as sentences."""
    found = []
    keys = ("rx", "tx", "de", "sda", "scl", "pin", "sck", "ws", "sd", "mosi", "miso", "cs")
    for key in keys:
        pin = options.get(key)
        if not isinstance(pin, int) or pin == -1:
            continue
        where = f"{name}: {key} = {pin}"
        if pin not in on.pins:
            found.append(f"{where}: the {on.title} does not have GPIO{pin}.")
        elif pin in on.taken and on.taken[pin] != "strapping":
            found.append(f"{where}: on the {on.title} GPIO{pin} is used for the {on.taken[pin]}.")
        elif pin in on.reads and (key in ("tx", "de", "sda", "scl", "sck", "ws", "mosi", "cs") or bus == "onewire"):
            found.append(f"{where}: on the {on.title} GPIO{pin} is only an input.")
        elif bus == "adc" and pin not in on.analog:
            found.append(f"{where}: GPIO{pin} cannot measure voltages; use one of {', '.join(map(str, on.analog))}.")
    port = options.get("port")
    if isinstance(port, int) and port not in {line[0] for line in on.lines}:
        ports = " or ".join(str(line[0]) for line in on.lines)
        found.append(f"{name}: port = {port}: use UART {ports} of the {on.title}; UART 0 is the console.")
    if isinstance(options.get("bus"), int) and options["bus"] > 1:
        found.append(f"{name}: bus = {options['bus']}: use I2C 0 or 1.")
    return found
