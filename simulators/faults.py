"""Faults of simulated devices: what they send from a time on, in history and live alike. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Literal, NamedTuple

import numpy as np

from registry.city import Device
from registry.settings import SimulateSettings
from simulators.synthetic import Columns, Session
from telemetry.series import FloatArray, IntArray

FAULT_STATE = 3.0  # of connector_state
_HIGH = 2.6
Kind = Literal["silent", "high", "broken", "garbled"]


class Fault(NamedTuple):
    """A fault of a device since a time (UTC ms).

    silent: it sends nothing. high: particles read 2.6 times too high. broken: a charger reports a fault and starts no
    session. garbled: the first message of a node has numbers with a comma.
    """

    kind: Kind
    since: int


def faults_of(settings: SimulateSettings) -> dict[str, Fault]:
    """The configured faults by device."""
    return {f.device: Fault(f.kind, f.since_ms) for f in settings.fault}


def unregistered_devices(settings: SimulateSettings, devices: Iterable[Device]) -> list[tuple[Device, int]]:
    """Devices on the air that no city file lists, and since when (UTC ms): each like a registered one."""
    known = {d.id: d for d in devices}
    wanted = [s for s in settings.unregistered if s.device not in known and s.like in known]
    return [(replace(known[s.like], id=s.device), s.since_ms) for s in wanted]


def with_fault(found: Iterable[Columns], fault: Fault | None) -> list[Columns]:
    """The values that a device with this fault sends."""
    return list(found) if fault is None else [_APPLY[fault.kind](c, fault.since) for c in found]


def sessions_with(found: Iterable[Session], fault: Fault | None) -> list[Session]:
    """The charging sessions of a charger with this fault: those that started before it."""
    return [s for s in found if fault is None or s.start < fault.since]


def _silent(c: Columns, since: int) -> Columns:
    heard = c.t < since
    return replace(c, t=c.t[heard], value=c.value[heard])


def _high(c: Columns, since: int) -> Columns:
    if c.quantity not in ("pm2_5", "pm10"):
        return c
    return replace(c, value=_where(c.t, since, np.round(c.value * _HIGH, 2), c.value))


def _broken(c: Columns, since: int) -> Columns:
    if c.quantity != "connector_state":
        return c
    return replace(c, value=_where(c.t, since, np.full(len(c.t), FAULT_STATE), c.value))


def _where(t: IntArray, since: int, then: FloatArray, before: FloatArray) -> FloatArray:
    return np.asarray(np.where(t >= since, then, before), dtype=np.float64)


_APPLY: dict[Kind, Callable[[Columns, int], Columns]] = {
    "silent": _silent, "high": _high, "broken": _broken, "garbled": lambda c, _: c,
}  # fmt: skip
