"""What differs between the store and what the nodes wrote."""

from __future__ import annotations

import math
from collections.abc import Collection

from adapters.store import Store
from telemetry.series import SeriesTable
from tests.chaos.batch import Reading, SeriesName, Window, kpis, windows


def differences(store: Store, city: str, sent: Collection[Reading], most: int = 20) -> list[str]:
    """Sentences, at most `most` a kind; none where every reading is there exactly once and every KPI is right."""
    return _windows(store, city, sent)[:most] + _kpis(store, city, sent)[:most]


def _same(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def _windows(store: Store, city: str, sent: Collection[Reading]) -> list[str]:
    wanted, found = windows(sent), _stored(store, city)
    out = []
    for (series, start), w in wanted.items():
        f = found.get((series, start))
        if f is None:
            out.append(f"lost: {w.n} readings of {'/'.join(series)} at {start}")
        elif f.n != w.n:
            out.append(f"{'lost' if f.n < w.n else 'doubled'}: {'/'.join(series)} at {start}: {f.n} instead of {w.n}")
        elif not all(_same(a, b) for a, b in zip(f, w, strict=True)):
            out.append(f"wrong: {'/'.join(series)} at {start}: {f} instead of {w}")
    devices = {r.device for r in sent}
    extra = [p for p in found.keys() - wanted.keys() if p[0][0] in devices and not p[0][1].startswith("ledger_")]
    return out + [f"invented: {'/'.join(series)} at {start}" for series, start in extra]


def _stored(store: Store, city: str) -> dict[tuple[SeriesName, int], Window]:
    table, found = SeriesTable(), {}
    for p in store.partials(city, "window", 0, 1 << 52, table):
        columns = (p.series, p.start, p.n, p.sum, p.min, p.max)
        for series, start, *values in zip(*(c.tolist() for c in columns), strict=True):
            found[(table[series].device, table[series].quantity), start] = Window(*values)
    return found


def _kpis(store: Store, city: str, sent: Collection[Reading]) -> list[str]:
    found = {(v.kpi.code, v.kpi.part, v.kpi.period): v.kpi.value for v in store.kpis(city, ("day", "month", "year"))}
    return [
        f"KPI {' '.join(which)}: {found.get(which)} instead of {value}"
        for which, value in kpis(sent).items()
        if (got := found.get(which)) is None or not _same(got, value)
    ]
