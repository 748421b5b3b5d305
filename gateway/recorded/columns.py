"""A table of a recorded file into the layouts of replay: times in UTC, devices, quantities, values and units.

Works by columns; a row that cannot be used is given with its reason. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from hashlib import sha256
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from adapters.files.arrow_csv import Numbers
from adapters.files.table import MEASUREMENTS, SESSIONS, Chunk, Coded, Column, Floats, InvalidRow
from gateway.decoding.records import registered
from gateway.recorded.stamps import Stamps
from gateway.recorded.text import filled, numbers_of
from registry.recorded import Columns, ValueColumn
from telemetry.errors import Rejected
from telemetry.series import BoolArray, FloatArray, IntArray
from telemetry.units import between


class _Part(NamedTuple):
    """Values of some rows: numbers of the rows, quantity and unit of each as codes into texts."""

    rows: IntArray
    quantity: Coded
    unit: Coded
    value: FloatArray
    column: str  # in which the values stand


class Arranger:
    """Reads the tables of one file. `devices`: the file's names and the registry's ids. `zone`: of local times.

    `unasked`: counts the values that are passed over because their name is not mapped to a quantity.
    """

    def __init__(
        self, layout: Columns, family: str, devices: Mapping[str, str], zone: ZoneInfo | None, unasked: dict[str, int]
    ) -> None:
        self._l, self._family, self._devices, self._unasked = layout, family, devices, unasked
        self._stamps = Stamps(zone, layout.time_format, (layout.interval_s or 0) if layout.stamp == "end" else 0)
        self._missing = frozenset(layout.missing)

    def numbers(self, header: Sequence[str]) -> dict[str, Numbers]:
        """Which columns hold numbers, and how they are written."""
        how = Numbers("," if self._l.decimal_comma else ".", tuple(self._l.missing))
        if self._l.session is not None:
            return {}
        names = [self._l.value] if self._l.value else [name for name, rule in self._wide(header) if not rule.missing]
        return {name: how for name in names if name is not None and header.count(name) == 1}

    def _wide(self, header: Sequence[str]) -> list[tuple[str, ValueColumn]]:
        """The columns that hold values, with their rule; a name comes before a glob."""
        found = [(name, _rule(self._l.values, name)) for name in header]
        return [(name, rule) for name, rule in found if rule is not None]

    def arranged(self, chunk: Chunk) -> Chunk:
        """The rows of a table in the layout of replay: sessions, or measurements row by row."""
        invalid = list(chunk.invalid)
        keep = self._used(chunk)
        devices = self._named(chunk, keep, invalid, "")
        if self._l.session is not None:
            return self._sessions(chunk, devices, keep, invalid)
        name = chunk.column(self._l.name) if self._l.name else None
        times = self._stamps.read(self._texts(chunk, self._l.time), keep, (devices, name))
        self._report(chunk, times.wrong, keep, invalid)
        parts = self._long(chunk, keep, invalid) if self._l.value else self._columns(chunk, keep, invalid)
        return self._measured(chunk, times.iso, devices, parts, invalid)

    def _used(self, chunk: Chunk) -> BoolArray:
        """Rows that are used: `only` holds for them."""
        keep = np.ones(len(chunk), dtype=np.bool_)
        for name, texts in self._l.only.items():
            if name in chunk.header:
                column = Coded.of(chunk.column(name))
                keep &= np.array([value in texts for value in column.values], dtype=np.bool_)[column.codes]
        return keep

    @staticmethod
    def _texts(chunk: Chunk, names: str | list[str]) -> Coded:
        """One column, or several joined by a blank."""
        if isinstance(names, str):
            return Coded.of(chunk.column(names))
        return Coded.of(map(" ".join, zip(*(chunk.column(name) for name in names), strict=True)))

    def _named(self, chunk: Chunk, keep: BoolArray, invalid: list[InvalidRow], column: str) -> Coded:
        """The registry's id of each row's device; rows whose device cannot be one are not kept."""
        names = filled(self._l.device or "", chunk, column)
        found, wrong = [], np.zeros(len(names.values), dtype=np.bool_)
        for place, name in enumerate(names.values):
            try:
                found.append(registered(name, self._devices))
            except Rejected as reason:
                found.append(name)
                wrong[place] = "{column}" not in (self._l.device or "") or bool(column)
                if wrong[place]:
                    rows = np.flatnonzero((names.codes == place) & keep)[:1]
                    invalid += [InvalidRow(chunk.lines[row], chunk.text(row), f"{reason}") for row in rows.tolist()]
        keep &= ~wrong[names.codes]
        return Coded(found, names.codes)

    def _report(self, chunk: Chunk, wrong: Mapping[int, str], keep: BoolArray, invalid: list[InvalidRow]) -> None:
        """Note rows that cannot be used, and keep them no longer."""
        for row, reason in wrong.items():
            if keep[row]:
                invalid.append(InvalidRow(chunk.lines[row], chunk.text(row), reason))
                keep[row] = False

    # -- measurements ------------------------------------------------------------------------------------------------

    def _value(
        self, chunk: Chunk, place: int, missing: frozenset[str], keep: BoolArray, invalid: list[InvalidRow]
    ) -> FloatArray:
        """The numbers of a column, NaN where there is none; text that is not a number is noted."""
        column = chunk.columns[place]
        if isinstance(column, Floats):
            return column.numbers
        found, wrong = numbers_of(column, missing, self._l.decimal_comma)
        for row in wrong:
            if keep[row]:
                invalid.append(InvalidRow(chunk.lines[row], chunk.text(row), f"'{column[row][:40]}' is not a number"))
        return found

    def _columns(self, chunk: Chunk, keep: BoolArray, invalid: list[InvalidRow]) -> list[_Part]:
        """Values that stand in columns of their own."""
        parts: list[_Part] = []
        several: dict[str, list[_Part]] = {}
        for place, name in enumerate(chunk.header):
            rule = _rule(self._l.values, name)
            if rule is None:
                continue
            value = self._value(chunk, place, self._missing | frozenset(rule.missing), keep, invalid)
            rows = np.flatnonzero(keep & ~np.isnan(value))
            made = _Part(rows, _same(rule.quantity, len(rows)), self._unit(chunk, place, rule, rows), value[rows], name)
            if rule.part is None:
                parts.append(made)
            else:
                several.setdefault(rule.quantity, []).append(made)
        return parts + [_combined(found, _rule(self._l.values, found[0].column)) for found in several.values()]

    @staticmethod
    def _unit(chunk: Chunk, place: int, rule: ValueColumn, rows: IntArray) -> Coded:
        if rule.unit_after is not None:
            after = [n for n, name in enumerate(chunk.header) if n > place and name == rule.unit_after]
            if after:
                column = Coded.of(chunk.columns[after[0]])
                return Coded([text or rule.unit or "" for text in column.values], column.codes[rows])
        return _same(rule.unit or "", len(rows))

    def _long(self, chunk: Chunk, keep: BoolArray, invalid: list[InvalidRow]) -> list[_Part]:
        """Values whose quantity a column names."""
        names = Coded.of(chunk.column(self._l.name or ""))
        rules = [_rule(self._l.names, name) for name in names.values]
        known = np.array([rule is not None for rule in rules], dtype=np.bool_)[names.codes]
        for code, count in zip(*np.unique(names.codes[keep & ~known], return_counts=True), strict=True):
            name = names.values[int(code)][:80]
            self._unasked[name] = self._unasked.get(name, 0) + int(count)
        keep &= known
        column = self._l.value or ""
        value = self._value(chunk, chunk.header.index(column), self._missing, keep, invalid)
        rows = np.flatnonzero(keep & ~np.isnan(value))
        codes = names.codes[rows]
        quantity = Coded([rule.quantity if rule else "" for rule in rules], codes)
        default = Coded([rule.unit or "" if rule else "" for rule in rules], codes)
        return [_Part(rows, quantity, self._unit_of(chunk, rows, default), value[rows], column)]

    def _unit_of(self, chunk: Chunk, rows: IntArray, default: Coded) -> Coded:
        """The unit that a column names, else that of the rule."""
        if self._l.unit is None or self._l.unit not in chunk.header:
            return default
        said = Coded.of(chunk.column(self._l.unit)).take(rows)
        return said if all(said.values) else Coded.of(a or b for a, b in zip(said, default, strict=True))

    def _measured(
        self, chunk: Chunk, times: Coded, devices: Coded, parts: list[_Part], invalid: list[InvalidRow]
    ) -> Chunk:
        """The parts as one table, its rows in the order of the file."""
        if not parts:
            return Chunk(chunk.path, MEASUREMENTS, [], [[] for _ in MEASUREMENTS], invalid, chunk.size)
        rows = np.concatenate([part.rows for part in parts])
        order = np.argsort(rows, kind="stable")
        if "{column}" in (self._l.device or ""):
            everything = np.ones(len(chunk), dtype=np.bool_)
            of_part = [self._named(chunk, everything, invalid, part.column).take(part.rows) for part in parts]
            names = _joined(of_part)
        else:
            names = devices.take(rows)
        columns: list[Column] = [
            times.take(rows[order]),
            names.take(order),
            _joined([part.quantity for part in parts]).take(order),
            Floats(np.concatenate([part.value for part in parts])[order]),
            _joined([part.unit for part in parts]).take(order),
        ]
        lines = np.asarray(chunk.lines)[rows[order]].tolist()
        return Chunk(chunk.path, MEASUREMENTS, lines, columns, invalid, chunk.size)

    # -- sessions ----------------------------------------------------------------------------------------------------

    def _sessions(self, chunk: Chunk, devices: Coded, keep: BoolArray, invalid: list[InvalidRow]) -> Chunk:
        """Charging sessions; who charged is stored as a hash only."""
        said = self._l.session
        assert said is not None  # noqa: S101 - for mypy
        start = self._stamps.read(self._texts(chunk, self._l.time), keep, (devices, None))
        self._report(chunk, start.wrong, keep, invalid)
        ends = self._texts(chunk, said.end) if said.end else _same("", len(chunk))
        there = np.array([text not in self._missing for text in ends.values], dtype=np.bool_)[ends.codes]
        end = self._stamps.read(ends, keep & there, (devices, None))
        self._report(chunk, {row: why for row, why in end.wrong.items() if there[row]}, keep, invalid)
        place = chunk.header.index(said.energy)
        energy = self._value(chunk, place, self._missing, keep, invalid)
        how = between(said.energy_unit, "kWh")
        users = chunk.column(said.user) if said.user in chunk.header else _same("", len(chunk))
        rows = np.flatnonzero(keep & ~np.isnan(energy)).tolist()
        columns = [
            [start.iso[row] for row in rows],
            [end.iso[row] if there[row] else "" for row in rows],
            [devices[row] for row in rows],
            [repr(how.apply(float(energy[row])) if how else float(energy[row])).removesuffix(".0") for row in rows],
            [self._hashed(users[row]) for row in rows],
        ]
        hidden = [row._replace(text="a charging session") if said.user else row for row in invalid]
        return Chunk(chunk.path, SESSIONS, [chunk.lines[row] for row in rows], columns, hidden, chunk.size)

    def _hashed(self, user: str) -> str:
        if not user or user in self._missing:
            return ""
        return sha256(f"{self._family}:{user}".encode()).hexdigest()[:12]


def _rule(rules: Mapping[str, ValueColumn], name: str) -> ValueColumn | None:
    found = rules.get(name)
    return found or next((rule for pattern, rule in rules.items() if fnmatchcase(name, pattern)), None)


def _same(text: str, count: int) -> Coded:
    return Coded([text], np.zeros(count, dtype=np.int64))


def _joined(parts: Sequence[Coded]) -> Coded:
    """Columns one after the other."""
    values: dict[str, int] = {}
    codes = []
    for part in parts:
        known = np.array([values.setdefault(text, len(values)) for text in part.values] or [0], dtype=np.int64)
        codes.append(known[part.codes])
    return Coded(list(values), np.concatenate(codes))


def _combined(parts: list[_Part], rule: ValueColumn | None) -> _Part:
    """One value of several columns, in rows where all have one."""
    rows = parts[0].rows
    for part in parts[1:]:
        rows = np.intersect1d(rows, part.rows)
    values = np.sum([part.value[np.searchsorted(part.rows, rows)] for part in parts], axis=0)
    if rule is not None and rule.part == "mean":
        values = values / len(parts)
    first = parts[0]
    return first._replace(
        rows=rows, quantity=_same(first.quantity.values[0], len(rows)), value=values,
        unit=first.unit.take(np.searchsorted(first.rows, rows)),
    )  # fmt: skip
