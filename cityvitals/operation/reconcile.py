"""`cityvitals ledger`: records that devices numbered in a period. sent = stored + rejected + missing."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import msgspec
import numpy as np

from adapters.store import Store
from reporting.tables import table, wrapped
from telemetry.partials import Partials
from telemetry.periods import Period, iso
from telemetry.quantities import LEDGER
from telemetry.series import SeriesTable

_NAMED = 20


class Account(NamedTuple):
    """Records of one device in the period. `missing` is negative where records of an earlier period arrived in it."""

    device: str
    sent: int
    stored: int
    refused: int
    missing: int
    duplicate: int
    recovered: int

    @property
    def unexplained(self) -> int:
        """Sent records that are not accounted for; 0 in a correct ledger."""
        return self.sent - self.stored - self.refused - self.missing

    @property
    def whole(self) -> bool:
        """Whether nothing is missing or unexplained."""
        return self.missing <= 0 and self.unexplained == 0


class _Running:
    """One device's counts from report to report, over all buffers that its gateway has had.

    With a new buffer a gateway counts from 0. Counts that fell slightly come from an older report with a later time:
    the
    gateway's clock was ahead then.
    """

    def __init__(self) -> None:
        self._ended, self._now = Counter[str](), dict[str, float]()
        self._before: Counter[str] | None = None
        self.newest = 0  # time of the last report, ms UTC

    def take(self, report: dict[str, float], inside: bool) -> None:
        """Add the next report, from before the period or inside it."""
        if inside and self._before is None:
            self._before = self._total()
        for name in ("sent", "received"):
            was, now = self._now.get(name, 0.0), report.get(name, 0.0)
            if name in report and now < was:
                if now > 0.9 * was:
                    return
                self._ended, self._now = self._total(), {}
                break
        self._now |= report

    def _total(self) -> Counter[str]:
        return Counter({name: self._ended[name] + round(self._now.get(name, 0)) for name in {*self._now, *self._ended}})

    def inside(self) -> Counter[str]:
        """Counts within the period."""
        found = self._total()
        found.subtract(found if self._before is None else self._before)
        return found


def accounts(store: Store, city: str, period: Period) -> list[Account]:
    """The ledger of every device of the city, incomplete ones first."""
    return accounts_as_of(store, city, period)[0]


def accounts_as_of(store: Store, city: str, period: Period) -> tuple[list[Account], int | None]:
    """The ledger of every device, and the time (ms UTC) of the newest report; None where there is none."""
    table = SeriesTable()
    list(store.partials(city, "hour", period.end - 1, period.end, table))  # the city's series
    ids = np.array([i for i, s in enumerate(table.all) if s.quantity.startswith(LEDGER)], dtype=np.int64)
    found: dict[str, _Running] = {}
    if len(ids):
        for part in store.partials(city, "window", 0, period.end, table, ids):
            _note(part, table, period.start, found)
    made = [_account(device, running.inside()) for device, running in found.items()]
    newest = max((running.newest for running in found.values()), default=None)
    return sorted(made, key=lambda a: (a.whole, -a.missing, a.device)), newest


def _note(part: Partials, table: SeriesTable, start: int, found: dict[str, _Running]) -> None:
    """Add the reports of one chunk of windows; chunks are in time order."""
    reports: dict[tuple[int, str], dict[str, float]] = {}
    for series, at, last in zip(part.series.tolist(), part.start.tolist(), part.last.tolist(), strict=True):
        name = table[series]
        reports.setdefault((at, name.device), {})[name.quantity.removeprefix(LEDGER)] = last
    for (at, device), report in sorted(reports.items(), key=lambda item: item[0]):
        running = found.setdefault(device, _Running())
        running.take(report, at >= start)
        running.newest = max(running.newest, at)


def _account(device: str, n: Counter[str]) -> Account:
    stored = n["received"] - n["refused"]
    return Account(device, n["sent"], stored, n["refused"], n["missing"], n["duplicate"], n["recovered"])


def as_text(found: list[Account], form: str, newest: int | None = None, width: int = 200) -> str:
    """`table` or `json`. `newest`: time of the newest report, ms UTC."""
    as_of = {} if newest is None else {"as_of": iso(newest)}
    if form == "json":
        rows = [{**a._asdict(), "unexplained": a.unexplained, "whole": a.whole, **as_of} for a in found]
        return msgspec.json.format(msgspec.json.encode(rows)).decode() + "\n"
    lines = _table(found, width) + wrapped(_verdict(found), width)
    if newest is None:
        return lines
    text = f"As of {iso(newest)}: gateways report these counts every ten minutes, missing records at once."
    return lines + wrapped(text, width)


def _table(found: list[Account], width: int) -> str:
    total = [Account("all", *(sum(column) for column in list(zip(*found, strict=True))[1:]))] if found else []
    body = [[*(str(v) for v in a), str(a.unexplained)] for a in [*found, *total]]
    return table((*Account._fields, "unexplained"), body, width)


def _verdict(found: list[Account]) -> str:
    broken = [a.device for a in found if not a.whole]
    if not found:
        return "No device sent numbered records in this period."
    if not broken:
        return "sent = stored + rejected: nothing is missing."
    more = f" and {len(broken) - _NAMED} more" if len(broken) > _NAMED else ""
    return f"sent = stored + rejected + missing; devices with missing records: {', '.join(broken[:_NAMED])}{more}."
