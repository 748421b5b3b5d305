"""What meters counted in a period: shared by the KPIs of electricity, heat and water. Pure.

A meter counts by the first of the quantities it has, never by two. Of an interval energy the sum counts, of a register
its steps (the first reading of all has none before it, so it counts nothing), of power the mean of each valid hour
times that hour. A day on which a meter counted more than its connection can carry (`max_kw`, from its last reading to
the end of the day) is left out and named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np

from kpi_derivation.engine.view import Rows, View
from kpi_derivation.rules.metering.register_days import SLOW
from kpi_derivation.rules.presence import expected, in_service
from registry.city import Device, DeviceKind
from telemetry.quantities import QUANTITIES
from telemetry.series import BoolArray, FloatArray

_NAMED = 5


class Counted(NamedTuple):
    """Amount over all meters, the share of meter-time that readings stand for, meters that gave any, and all of them.

    Meter-time is the passed part of the period in which a meter is in service; `registered`: meters with any.
    `customers`: behind the meters that gave any.
    """

    amount: float
    coverage: float
    n_devices: int
    registered: int
    customers: float
    notes: str


def counted(
    view: View,
    kinds: tuple[DeviceKind, ...],
    quantities: Sequence[str],
    counts: Callable[[Device], bool],
    part: str = "",
) -> Counted:
    """What the meters that `counts` picks counted; calculated once for a view. `part`: the only one they count in."""
    key = ("counted", kinds, tuple(quantities), counts)
    return view.once(key, lambda noting: _counted(noting, kinds, quantities, counts, part))


def _counted(
    view: View, kinds: tuple[DeviceKind, ...], quantities: Sequence[str], counts: Callable[[Device], bool], part: str
) -> Counted:
    amount, covered, wanted, seen, registered, customers = 0.0, 0.0, 0.0, 0, 0, 0.0
    notes: list[str] = []
    for number, quantity in enumerate(quantities):
        devices = view.devices(kinds, quantity)
        first = view.picked(devices, f"by {quantity}", _first_of(quantities[:number]))
        mine = view.picked(devices, quantity, counts) & first & in_service(view, devices)
        if not mine.any():
            continue
        rows = view.rows(quantity, kinds)
        given = mine & _has_amount(rows, quantity)
        there = expected(view, devices)
        amounts, times = _amounts(rows, quantity), np.minimum(rows.covered, there)
        if view.period.kind != "24h" and view.picked(devices, f"limited {quantity}", _limited).any():
            out, out_ms, said = _beyond(view, quantity, kinds, given)
            amounts, times, notes = amounts - out, np.maximum(times - out_ms, 0.0), [*notes, *said]
        view.mark(devices, given, part)
        registered, seen = registered + int(mine.sum()), seen + int(given.sum())
        amount = sum_in_order(amounts[given], amount)
        covered, wanted = sum_in_order(times[given], covered), sum_in_order(there[mine], wanted)
        customers += float(view.numbers(devices, f"customers of {quantity}", _customers)[given].sum())
        guessed = (given & view.picked(devices, quantity, _own_interval)).any()
        notes += [_GUESSED] if guessed and _GUESSED not in notes else []
    notes += _meter_changes(view, quantities, kinds, counts)
    coverage = covered / wanted if wanted else 0.0
    return Counted(amount, coverage, seen, registered, customers, "; ".join(notes))


def sum_in_order(values: FloatArray, start: float = 0.0) -> float:
    """`start` and the values added from left to right, so that the last bit is the same on every machine and Python."""
    return float(np.add.accumulate(np.append(start, values))[-1])


def _meter_changes(
    view: View, quantities: Sequence[str], kinds: tuple[DeviceKind, ...], counts: Callable[[Device], bool]
) -> list[str]:
    """Meters that were changed in the period; what was counted between the two registers is not in the amount."""
    found = view.meter_changes
    mine = {d.id for q in quantities for d in view.devices(kinds, q) if counts(d)} if found else set()
    named = [
        f"{device} on {', '.join(str(date.fromordinal(d)) for d in days[:_NAMED])}"
        for (device, quantity), days in sorted(found.items())
        if quantity in quantities and device in mine
    ]
    return [f"meter changed: {'; '.join(named[:_NAMED])} (see meter_change in the [[device]] entry)"] if named else []


_GUESSED = "interval: the devices' own median step"


def _first_of(before: Sequence[str]) -> Callable[[Device], bool]:
    """Whether a device has none of the quantities that go before."""
    known = _FIRST.get(tuple(before))
    if known is None:
        known = _FIRST[tuple(before)] = lambda device: not any(q in device.quantities for q in before)
    return known


_FIRST: dict[tuple[str, ...], Callable[[Device], bool]] = {}  # one function each, under which a view finds its answer


def _own_interval(device: Device) -> bool:
    return device.interval_s is None


def _customers(device: Device) -> float:
    return float(device.customers)


def _max_kw(device: Device) -> float:
    return np.inf if device.max_kw is None else device.max_kw


def _limited(device: Device) -> bool:
    return device.max_kw is not None and device.kind != "water_meter"


def _has_amount(rows: Rows, quantity: str) -> BoolArray:
    """Which devices have an amount: of a register, one reading with no step gives none.

    A register that is read every few hours is covered only where a step is (`register_days.covered`).
    """
    if QUANTITIES[quantity].kind == "counter":
        slow = (rows.interval > SLOW) & (rows.covered > 0)
        return np.asarray((rows.n > 1) | (rows.increase > 0) | slow)
    return np.asarray(rows.n > 0)


def _amounts(rows: Rows, quantity: str) -> FloatArray:
    if quantity == "power":
        return rows.hour_sum / 1000.0
    return rows.increase if QUANTITIES[quantity].kind == "counter" else rows.sum


def _beyond(
    view: View, quantity: str, kinds: tuple[DeviceKind, ...], given: BoolArray
) -> tuple[FloatArray, FloatArray, list[str]]:
    """Per device: what it counted on days on which it cannot have, the time these days covered; and notes."""
    days = view.daily(quantity, kinds)
    name = "hour_sum" if quantity == "power" else "increase" if QUANTITIES[quantity].kind == "counter" else "sum"
    amounts = days[name] / (1000.0 if quantity == "power" else 1.0)
    limit = view.numbers(days.devices, quantity, _max_kw)
    # The day with a gap's end may hold the energy of all of the gap.
    number = np.arange(amounts.shape[1])
    last = np.maximum.accumulate(np.where(days["n"] > 0, number, -1), axis=1)
    since = np.hstack((np.full((len(last), 1), -1), last[:, :-1]))
    carried = np.where(since < 0, number + 32.0, number - since + 1.0) * 24.0
    over = given[:, None] & (amounts > limit[:, None] * carried)
    said = [
        f"left out: {days.devices[i].id} {amounts[i, k]:g} kWh on {date.fromordinal(days.first + k)}, more than"
        f" {limit[i]:g} kW can carry"
        for i, k in np.argwhere(over)[:_NAMED].tolist()
    ]
    covered = np.where(over, days["covered"], 0.0).sum(axis=1)
    return np.where(over, amounts, 0.0).sum(axis=1), covered, said
