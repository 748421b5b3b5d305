"""The state of a gateway and its devices, as ordinary readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.ledger import Totals
from gateway.decoding.reject_kinds import KINDS
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable

_COUNTERS = (
    "gw_received", "gw_stored", "gw_duplicate", "gw_rejected", "gw_flagged", "gw_dropped", "gw_not_served",
    *(f"gw_rejected_{kind}" for kind in KINDS),
)  # fmt: skip
_LEDGER = ("received", "duplicate", "refused", "recovered", "missing", "sent")


def health(
    buffer: Buffer, gateway: str, now: int, served: Sequence[str], beside: Mapping[str, float] | None = None
) -> Readings:
    """The gateway's counters and backlog, for every city it serves and has data of. `now`: ms UTC.

    `beside`: what the process reads from its machine, by quantity (free disk, days until a certificate ends).
    """
    counters = buffer.counters()
    waiting, oldest = buffer.backlog()
    values = {name: float(counters.get(name, 0)) for name in _COUNTERS}
    values |= {"gw_dirty": float(waiting), "gw_lag": max(now - oldest, 0) / 1000 if oldest else 0.0}
    values |= beside or {}
    cities = sorted({s.city for s in buffer.table.all} & set(served))
    ids = [buffer.table.id_of(Series(city, gateway, name)) for city in cities for name in values]
    return Readings.of(ids, [now] * len(ids), list(values.values()) * len(cities))


def ledger_report(table: SeriesTable, totals: Sequence[Totals], now: int) -> Readings:
    """The ledger of some devices, under their own names. `now`: ms UTC."""
    ids = [table.id_of(Series(t.city, t.device, f"ledger_{name}")) for t in totals for name in _LEDGER]
    values = [float(getattr(t, name)) for t in totals for name in _LEDGER]
    return Readings.of(ids, [now] * len(ids), values)
