"""What differs between what is stored and what the nodes wrote."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from tests.chaos.checking import batch, stored
from tests.chaos.checking.batch import Reading, SeriesName, Window
from tests.chaos.checking.stored import Kpi, Row
from tests.chaos.direct import DirectDevice
from tests.chaos.world import World

REPAIRED_DEVICE = "repaired-1"
_DERIVED = ("ledger_", "demand_", "connector_fault")  # series that gateway and engine add to those of a device


def differences(world: World, sent: Collection[Reading], most: int = 20, repaired: bool = False) -> list[str]:
    """Sentences, at most `most` a kind; none where every reading is there exactly once and every KPI is right.

    `repaired`: the rejects of the source that was repaired have been replayed.
    """
    written = {node.device.id: len(node.written) for node in world.fleet.nodes}
    found = (
        partials("window", stored.partials(world, "window"), batch.windows(sent)),
        partials("hour", stored.partials(world, "hour"), batch.windows(sent, batch.HOUR)),
        kpis(stored.kpis(world), batch.kpis(world.fleet.sent("chaos"))),
        readings(stored.readings(world), sent),
        ledger(stored.ledger(world), written),
        direct(stored.readings(world), world.fleet.direct, repaired),
    )
    return [sentence for kind in found for sentence in kind[:most]]


def _same(a: float | None, b: float | None) -> bool:
    return a == b if a is None or b is None else math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9)


def partials(level: str, rows: Iterable[Row], wanted: Mapping[tuple[SeriesName, int], Window]) -> list[str]:
    """Windows or hours: each one there once, with its count, sum, smallest, largest, first and last value."""
    found: dict[tuple[SeriesName, int], tuple[float, ...]] = {}
    out, devices = [], {series[0] for series, _ in wanted}
    for row in rows:
        place = ((row.device, row.quantity), row.start)
        name = f"{level} {row.device}/{row.quantity} at {row.start}"
        if place in found:
            out.append(f"doubled: {name} stands there more than once")
        elif place not in wanted and row.device in devices and not row.quantity.startswith(_DERIVED):
            out.append(f"invented: {name}")
        found[place] = row.values
    for place, w in wanted.items():
        f, name = found.get(place), f"{level} {'/'.join(place[0])} at {place[1]}"
        if f is None:
            out.append(f"lost: {w.n} readings of {name}")
        elif f[0] != w.n:
            out.append(f"{'lost' if (f[0] or 0) < w.n else 'doubled'}: {name}: {f[0]} instead of {w.n}")
        elif not all(_same(a, b) for a, b in zip(f, w, strict=True)):
            out.append(f"wrong: {name}: {f} instead of {w}")
    return out


def kpis(rows: Collection[Kpi], wanted: Mapping[tuple[str, str, str], float | None]) -> list[str]:
    """KPI values by (code, part, period): each one of those wanted there once and right."""
    times = Counter(row[:4] for row in rows)
    found = {(row.code, row.part, row.period): row.value for row in rows}
    # A row that the store has not got whole yet has no period.
    return [f"doubled: KPI {' '.join(map(str, which))}" for which, n in times.items() if n > 1] + [
        f"KPI {' '.join(which)}: {found.get(which, 'nothing')} instead of {value}"
        for which, value in wanted.items()
        if which not in found or not _same(found[which], value)
    ]


def same_kpis(
    rows: Collection[Kpi],
    undisturbed: Mapping[tuple[str, str, str], float | None],
    before: Mapping[tuple[str, str, str], float | None] = MappingProxyType({}),
) -> list[str]:
    """Every KPI of every calendar period, as without faults; none beside them.

    A clock that is ahead near midnight begins tomorrow; once it is right, those values are taken back and say so.
    `before`: values at the start of the run; those of periods that are no longer derived at its end, because midnight
    passed in between, may stand beside the others.
    """
    taken_back = {(row.code, row.part, row.period) for row in rows if row.value is None and row.reason == "future"}
    passed = {
        (r.code, r.part, r.period) for r in rows if _same(before.get((r.code, r.part, r.period), math.nan), r.value)
    }
    beside = {(row.code, row.part, row.period) for row in rows} - undisturbed.keys() - taken_back - passed
    return kpis(rows, undisturbed) + [f"invented: KPI {' '.join(which)}" for which in beside]


def as_of_either(
    rows: Collection[Kpi], hours: Sequence[Mapping[tuple[str, str, str], float | None]]
) -> Mapping[tuple[str, str, str], float | None]:
    """The values of the last of these hours; of an earlier one those that the rows still have: values of how much of a
    period has passed change with the hour, until five minutes after it.
    """
    values, wanted = {(row.code, row.part, row.period): row.value for row in rows}, dict(hours[-1])
    for earlier in hours[:-1]:
        wanted.update({name: value for name, value in earlier.items() if _same(value, values.get(name, math.nan))})
    return wanted


def published(found: Mapping[tuple[str, str, str], tuple[str, float | None]], rows: Collection[Kpi]) -> list[str]:
    """What the central broker has retained, by (code, part, kind): the newest stored value of every KPI.

    Of those that were not withdrawn: a clock that was ahead leaves values of a time that has not come.
    """
    newest: dict[tuple[str, str, str], tuple[str, float | None]] = {}
    for row in sorted((row for row in rows if row.reason != "future"), key=lambda row: row.period):
        newest[row.code, row.part, row.kind] = (row.period, row.value)
    return [
        f"published: KPI {' '.join(which)}: {found.get(which, 'nothing')} instead of {value}"
        for which, value in newest.items()
        if found.get(which) != value
    ]


def readings(rows: Iterable[tuple[str, str, int, float]], sent: Iterable[Reading]) -> list[str]:
    """The gateway's own file: each reading there once, under its own time and with its own value."""
    wanted = Counter((r.device, r.quantity, r.t, round(r.value, 6)) for r in set(sent))
    devices = {place[0] for place in wanted}
    found = Counter(
        (*row[:3], round(row[3], 6)) for row in rows if row[0] in devices and not row[1].startswith(_DERIVED)
    )
    out = [f"lost: reading {place} in the gateway" for place in (wanted - found)]
    return out + [f"doubled: reading {place} in the gateway" for place in (found - wanted)]


def direct(
    rows: Iterable[tuple[str, str, int, float]], devices: Iterable[DirectDevice], repaired: bool = True
) -> list[str]:
    """Every reading of a device without records that its broker acknowledged, by its value: there once.

    Also where it has no time of its own: the gateway recognises what the broker redelivers after a lost PUBACK. What
    the device itself sent twice, because its connection ended before the PUBACK, is another message to everybody.
    """
    held = Counter((name, value) for name, quantity, _, value in rows if quantity == "power")
    out = []
    for device in devices:
        if device.device == REPAIRED_DEVICE and not repaired:
            continue
        name = device.device
        out += [f"lost: {name}: reading {v:g} in the gateway" for v in sorted(device.acknowledged) if not held[name, v]]
        often = [v for (n, v), k in held.items() if n == name and k > 1 + (v in device.sent_again)]
        out += [f"doubled: {name}: reading {v:g} in the gateway" for v in often]
    return out


def ledger(found: Mapping[str, tuple[int, int, int, int]], written: Mapping[str, int]) -> list[str]:
    """The ledger: all records counted once as sent and received, none refused, none missing."""
    return [
        f"ledger: {device}: sent, received, refused, missing are {found.get(device)}; {count} records were written"
        for device, count in written.items()
        if found.get(device) != (count, count, 0, 0)
    ]
