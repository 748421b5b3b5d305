"""A view that notes what a derivation reads from it, so that a proof shows exactly what a value rests on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from kpi_derivation.catalogue import Derivation
from kpi_derivation.engine.sums import Sums
from kpi_derivation.engine.view import COLUMNS, Daily, Part, Rows, View
from registry.city import City, Denominators, DeviceKind, Rules
from telemetry.series import FloatArray


class Read:
    """What was read: rows per quantity, and names of rules and denominators.

    `others`: quantities read day by day or hour by hour, and of which kinds of devices.
    """

    def __init__(self) -> None:
        self.rows: list[tuple[str, tuple[DeviceKind, ...], Rows]] = []
        self.names: list[str] = []
        self.others: list[tuple[str, tuple[DeviceKind, ...]]] = []
        self.view: View | None = None
        self.parts: list[Part] = []

    def note(self, name: str) -> None:
        """A rule or denominator was read."""
        if name not in self.names:
            self.names.append(name)


class _WatchedDenominators(Denominators):
    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - whatever the field holds
        return _noted(super().__getattribute__, name)


class _WatchedRules(Rules):
    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 - whatever the field holds
        return _noted(super().__getattribute__, name)


def _noted(get: Any, name: str) -> Any:  # noqa: ANN401
    """The attribute; where it is a field and somebody watches, its name is noted."""
    watcher = get("__dict__").get("_read") if not name.startswith("_") else None
    if watcher is not None and name in get("__dict__"):
        watcher.note(name)
    return get(name)


class _WatchedView(View):
    def rows(self, quantity: str, kinds: Sequence[DeviceKind]) -> Rows:
        found = View.rows(self, quantity, kinds)
        read: Read = self.__dict__["read"]
        if all(quantity != q or tuple(kinds) != k for q, k, _ in read.rows):
            read.rows.append((quantity, tuple(kinds), found))
        return found

    def daily(self, quantity: str, kinds: Sequence[DeviceKind], back_days: int = 0) -> Daily:
        self.__dict__["read"].others.append((quantity, tuple(kinds)))
        return View.daily(self, quantity, kinds, back_days)

    def hourly(self, quantity: str, kinds: Sequence[DeviceKind], back_hours: int = 0) -> FloatArray:
        self.__dict__["read"].others.append((quantity, tuple(kinds)))
        return View.hourly(self, quantity, kinds, back_hours)


class _WatchedSums(Sums):
    """Notes the quantities that are read past `rows`, as a derivation may for one no registry lists."""

    def __init__(self, sums: Sums) -> None:
        self.__dict__.update(sums.__dict__)
        self.quantities: list[str] = []

    def __getitem__(self, name: tuple[str, str]) -> FloatArray:
        if name[1] not in self.quantities:
            self.quantities.append(name[1])
        return super().__getitem__(name)


def _rows_of_all(view: View, quantity: str, kinds: Sequence[DeviceKind]) -> Rows:
    """The sums of a quantity over all devices of these kinds that have it, whatever the registry lists."""
    devices = tuple(d for d in view.devices(kinds) if (d.id, quantity) in view.sums)
    table = np.array([view.sums[d.id, quantity] for d in devices]).reshape(-1, len(COLUMNS))
    return Rows(devices, *(table[:, i] for i in range(len(COLUMNS))))


def _watched_city(city: City, read: Read) -> City:
    numbers = _WatchedDenominators.model_construct(**dict(city.city))
    rules = _WatchedRules.model_construct(**dict(city.rules))
    for watched in (numbers, rules):
        watched.__dict__["_read"] = read
    return city.model_copy(update={"city": numbers, "rules": rules})


def watching(derivation: Derivation, read: Read) -> Derivation:
    """The same derivation, which notes in `read` what it reads of the view it is given."""

    def derive(view: View) -> list[Part]:
        values = {f.name: getattr(view, f.name) for f in fields(view)}
        sums = _WatchedSums(view.sums)
        # What the view has found already was found without being watched.
        mine = {"city": _watched_city(view.city, read), "sums": sums, "found": {}, "index": {}}
        watched = _WatchedView(**{**values, **mine})
        watched.__dict__["read"] = read
        read.view, read.parts = view, derivation.derive(watched)
        _add_others(view, derivation, read, sums.quantities)
        return read.parts

    return Derivation(derivation.kpi, derivation.method, derivation.quantities, derivation.kinds, derive)


def _add_others(view: View, derivation: Derivation, read: Read, past_rows: Sequence[str]) -> None:
    """Rows for quantities that were read otherwise than by `rows` only."""
    for quantity, kinds in read.others:
        if all(quantity != seen for seen, _, _ in read.rows):
            read.rows.append((quantity, kinds, view.rows(quantity, kinds)))
    for quantity in past_rows:
        if all(quantity != seen for seen, _, _ in read.rows):
            read.rows.append((quantity, derivation.kinds, _rows_of_all(view, quantity, derivation.kinds)))
