"""Makes the firmware's table of quantities: `python -m edge.tools.quantities` writes it, a test checks it.

The unit and the kind of each come from the catalogue of `telemetry`; which ones and in which order from the present
table (codes on flash never change) and from what the drivers and the node's own health records report.
"""

from __future__ import annotations

import re
from pathlib import Path

from edge.tools.drivers import FOLDER, drivers
from telemetry.quantities import QUANTITIES

FILE = FOLDER.parent / "quantities.py"
_HEALTH = (
    "heap_free", "uptime", "boots", "reset_cause", "rssi", "ring_fill", "ring_dropped", "clock_offset", "battery",
    "channels",
)  # fmt: skip
_NODE_UNITS = {"kWh": "Wh"}  # energy leaves the node as whole watt-hours
_LAST = {"counter", "delta", "state"}  # of an interval the last value counts, not the mean
_BLOCK = re.compile(r"_TABLE = const\(\n.*?\n\)\n", re.DOTALL)
_WIDTH = 112


def names(present: str) -> list[str]:
    """All quantities of the node in the order of their codes: those of the present table first."""
    table = _BLOCK.search(present)
    if table is None:
        raise ValueError(f"{FILE} has no table")
    known = re.findall(r"\\n([a-z0-9_]+) ", table[0])
    wanted = [name for driver in drivers().values() for name in driver.quantities] + list(_HEALTH)
    return list(dict.fromkeys(known + wanted))


def line(name: str) -> str:
    """Name, unit, and a dot where the last value of an interval counts. Raises KeyError for one the catalogue lacks."""
    quantity = QUANTITIES[name]
    unit = _NODE_UNITS.get(quantity.unit, quantity.unit)
    return f"{name} {unit}{' .' if quantity.kind in _LAST else ''}"


def generated(present: str) -> str:
    """The text of the firmware's file with a current table."""
    rows, row = [], ""
    for piece in (f"\\n{line(name)}" for name in names(present)):
        if len(row) + len(piece) > _WIDTH:
            rows.append(row)
            row = ""
        row += piece
    block = "_TABLE = const(\n" + "".join(f'    "{text}"\n' for text in [*rows, row + "\\n"]) + ")\n"
    return _BLOCK.sub(lambda _: block, present)


def main() -> None:
    """Write the table."""
    path = Path(FILE)
    path.write_text(generated(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
