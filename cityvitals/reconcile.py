"""`cityvitals ledger`: what devices numbered in a period, and what became of it. sent = stored + refused + missing."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from rich.console import Console
from rich.table import Table

from adapters.store import Store
from telemetry.partials import Partials
from telemetry.periods import Period
from telemetry.series import SeriesTable

_PREFIX = "ledger_"


class Account(NamedTuple):
    """Records of one device in the period. `missing` may be negative: what was missing before came in it."""

    device: str
    sent: int
    stored: int
    refused: int
    missing: int
    duplicate: int
    recovered: int

    @property
    def unexplained(self) -> int:
        """Records of which nothing is known; 0 in a sound ledger."""
        return self.sent - self.stored - self.refused - self.missing

    @property
    def whole(self) -> bool:
        """Nothing is missing and nothing unexplained."""
        return self.missing <= 0 and self.unexplained == 0


def accounts(store: Store, city: str, period: Period) -> list[Account]:
    """The ledger of every device of the city, those that break it first."""
    table = SeriesTable()
    list(store.partials(city, "hour", period.end - 1, period.end, table))  # names the city's series
    ids = np.array([i for i, s in enumerate(table.all) if s.quantity.startswith(_PREFIX)], dtype=np.int64)
    before, after = dict[int, float](), dict[int, float]()
    if len(ids):
        for part in store.partials(city, "window", 0, period.end, table, ids):
            _note(part, period.start, before, after)
    found: dict[str, dict[str, int]] = {}
    for series, value in after.items():
        of_device = found.setdefault(table[series].device, {})
        of_device[table[series].quantity.removeprefix(_PREFIX)] = round(value - before.get(series, 0.0))
    made = [_account(device, counts) for device, counts in found.items()]
    return sorted(made, key=lambda a: (a.whole, -a.missing, a.device))


def _note(part: Partials, start: int, before: dict[int, float], after: dict[int, float]) -> None:
    """Keep the last value of each series before the period and in it; the rows are in time order."""
    for series, at, last in zip(part.series.tolist(), part.start.tolist(), part.last.tolist(), strict=True):
        if at < start:
            before[series] = last
        after[series] = last


def _account(device: str, counts: dict[str, int]) -> Account:
    n = {name: counts.get(name, 0) for name in ("sent", "received", "refused", "missing", "duplicate", "recovered")}
    stored = n["received"] - n["refused"]
    return Account(device, n["sent"], stored, n["refused"], n["missing"], n["duplicate"], n["recovered"])


def as_text(found: list[Account], form: str) -> str:
    """`table` or `json`."""
    if form == "json":
        rows = [{**a._asdict(), "unexplained": a.unexplained, "whole": a.whole} for a in found]
        return msgspec.json.format(msgspec.json.encode(rows)).decode() + "\n"
    console = Console(width=100)
    with console.capture() as capture:
        console.print(_table(found))
        console.print(_verdict(found), markup=False, highlight=False)
    return capture.get()


def _table(found: list[Account]) -> Table:
    table = Table(box=None)
    for name in (*Account._fields, "unexplained"):
        table.add_column(name, justify="left" if name == "device" else "right")
    total = Account("all", *(sum(column) for column in list(zip(*found, strict=True))[1:])) if found else None
    for a in [*found, *([total] if total else [])]:
        table.add_row(*(str(v) for v in a), str(a.unexplained))
    return table


def _verdict(found: list[Account]) -> str:
    broken = [a.device for a in found if not a.whole]
    if not found:
        return "No device has numbered its records in this period."
    if not broken:
        return "sent = stored + refused: nothing is missing."
    return f"sent = stored + refused + missing; records are missing of: {', '.join(broken)}."
