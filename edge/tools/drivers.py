"""What each driver of the firmware declares, read from its source without importing it.

The folder is the registry: a new driver is one file. A declaration is plain data (`ast.literal_eval`); what is missing
or not plain is an error that names the file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from telemetry.errors import UsageError, nearest

FOLDER = Path(__file__).parents[1] / "firmware" / "sensors"
# What the build leaves out of the node: only KIND is used there.
DECLARED = ("PART", "BUS", "FIRST", "QUANTITIES", "OPTIONS", "NEEDS", "WIRING", "PARTS")
# Options that come with a bus, whatever the driver.
BUS_OPTIONS: dict[str, tuple[str, ...]] = {
    "uart": ("port", "rx", "tx", "baud", "bits", "parity", "invert", "rxbuf"),
    "rs485": ("port", "rx", "tx", "baud", "bits", "parity", "de", "rxbuf"),
    "i2c": ("bus", "sda", "scl", "freq"),
    "pin": ("pin",),
    "adc": ("pin",),
    "onewire": ("pin",),
    "i2s": ("sck", "ws", "sd"),
    "spi": ("sck", "mosi", "miso", "cs"),
}
COMMON = ("channel", "sample_s", "sleep")


class Driver(NamedTuple):
    """One driver. `options`: name and default; `needs`: options that must be given, with an example value."""

    name: str
    kind: str
    part: str
    bus: str
    quantities: tuple[str, ...]
    options: Mapping[str, Any]
    needs: Mapping[str, Any]
    wiring: str
    parts: tuple[str, ...]
    first: bool

    @property
    def known(self) -> frozenset[str]:
        """Every option that the driver accepts."""
        return frozenset(self.options) | set(self.needs) | set(BUS_OPTIONS[self.bus]) | set(COMMON)

    @property
    def required(self) -> frozenset[str]:
        """The options that an entry of the configuration must have."""
        pins = {"uart": ("port",), "rs485": ("port",), "i2c": ("sda", "scl")}
        return frozenset(self.needs) | set(pins.get(self.bus, BUS_OPTIONS[self.bus]))


def declarations(path: Path) -> dict[str, Any]:
    """The plain constants at the top of a driver's file."""
    found: dict[str, Any] = {}
    for item in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            name = item.targets[0].id
            if name == "KIND" or name in DECLARED:
                try:
                    found[name] = ast.literal_eval(item.value)
                except ValueError:
                    raise ValueError(f"{path}: {name} must be plain data") from None
    return found


def _driver(path: Path) -> Driver:
    found = declarations(path)
    if missing := {"KIND", "PART", "BUS", "QUANTITIES", "OPTIONS", "WIRING", "PARTS"} - set(found):
        raise ValueError(f"{path} does not declare {', '.join(sorted(missing))}")
    if found["BUS"] not in BUS_OPTIONS:
        raise ValueError(f"{path}: BUS '{found['BUS']}' is not one of {', '.join(BUS_OPTIONS)}")
    return Driver(
        path.stem, found["KIND"], found["PART"], found["BUS"], found["QUANTITIES"], found["OPTIONS"],
        found.get("NEEDS", {}), found["WIRING"], found["PARTS"], found.get("FIRST", False),
    )  # fmt: skip


@cache
def drivers() -> dict[str, Driver]:
    """All drivers by name."""
    return {path.stem: _driver(path) for path in sorted(FOLDER.glob("[!_]*.py"))}


def driver(name: str) -> Driver:
    """A driver by its name. Raises UsageError naming the nearest."""
    if name not in drivers():
        raise UsageError(f"'{name}' is not a driver; {nearest(name, drivers())}")
    return drivers()[name]


def without_declarations(source: str) -> str:
    """A driver's source without what only host tools read; line numbers stay as they are."""
    lines = source.splitlines(keepends=True)
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source  # the compiler reports the error
    used = {item.id for item in ast.walk(tree) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Load)}
    for item in tree.body:
        if isinstance(item, ast.Assign) and isinstance(item.targets[0], ast.Name):
            name = item.targets[0].id
            if name in DECLARED and name not in used:
                for at in range(item.lineno - 1, item.end_lineno or item.lineno):
                    lines[at] = "\n"
    return "".join(lines)


def table() -> str:
    """The drivers as a table for `docs/firmware/node-json.md`."""
    rows = ["| kind | driver | part | quantities | connection | options |", "|---|---|---|---|---|---|"]
    for one in sorted(drivers().values(), key=lambda one: (one.kind, one.name)):
        options = ", ".join(f"`{key}`" for key in sorted({*one.needs, *one.options}))
        quantities = ", ".join(one.quantities)
        rows.append(f"| {one.kind} | `{one.name}` | {one.part} | {quantities} | {one.bus}: {one.wiring} | {options} |")
    return "\n".join(rows) + "\n"


PAGE = FOLDER.parents[2] / "docs" / "firmware" / "node-json.md"


def with_table(text: str, name: str = "drivers", rows: str = "") -> str:
    """The text of `docs/firmware/node-json.md` with a current table of drivers, or with `rows` as the table `name`."""
    place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return place.sub(lambda found: found[1] + "\n" + (rows or table()) + "\n" + found[2], text)


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
