"""The short way of a mapping: records whose values are plain numbers, each quantity once. Pure.

A device always sends the same names. What they mean is worked out once for each set of names that an object has; then
a record is read without asking what else could be in it. A record in which anything else occurs (text, labels, several
values of one quantity, a rule with conditions) is left to the mapping's long way, which gives the same for both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from gateway.decoding.decoded import Row
from gateway.decoding.paths import Find, first_name, joined_names, steps

if TYPE_CHECKING:
    from registry.mapping import ValueRule

_MOST_NAMES = 50_000  # in all remembered sets of one source; beyond it they are worked out again
_LONGEST = 200  # a name with more characters is not remembered
_CHAIN = re.compile(r'[\w."*\[\]-]+')  # steps from one member, without alternatives or conditions

# quantity and unit; LONG: the long way must read it; PASS: nothing; UNASKED: to be counted
Entry = tuple[str, str | None]
LONG: Final[Entry] = ("", "long")
PASS: Final[Entry] = ("", "pass")
UNASKED: Final[Entry] = ("", "unasked")
Stamp = tuple[int, int, int]  # of a record's rows: ms, key, and the place of its number


class Value(NamedTuple):
    """A value by its path."""

    path: str
    find: Find
    rule: ValueRule


class Place:
    """An object in a record: values and objects by their names in it. `by_name`: others are known by their name."""

    __slots__ = ("by_name", "inner", "plans", "values")

    def __init__(self) -> None:
        self.values: dict[str, list[Entry]] = {}
        self.inner: dict[str, Place] = {}
        self.by_name = False
        self.plans: dict[tuple[str, ...], Plan] = {}

    def at(self, names: Sequence[object]) -> Place:
        """The place of an object below this one; it is made where it is not there."""
        found = self
        for name in names:
            found = found.inner.setdefault(str(name), Place())
        return found


class Plan(NamedTuple):
    """What an object with one set of names holds: values (name, quantity, unit), names whose value the long way must
    read, names that are not mapped, and objects.
    """

    values: list[tuple[str, str, str | None]]
    long: list[str]
    unasked: list[str]
    inner: list[tuple[str, Place]]


class Quick:
    """`entry`: what a rule means, LONG where it has conditions. `of_name`: the rule of a name, PASS or UNASKED.

    `inside`: paths to the objects whose members are known by name, "" is the record. `top`: members of the record
    that are not read by name. `root`: the place of the record. `firsts`: members with which paths that are more than
    names begin; None where such a path can begin with any member. `conditions`: paths that only join names by `||` and
    `&&`, which names these are, and what is found; they are not in `firsts`.
    """

    def __init__(
        self,
        values: Sequence[Value],
        entry: Callable[[ValueRule], Entry],
        of_name: Callable[[str], Entry],
        inside: Sequence[tuple[str, Find | None]],
        top: frozenset[str],
    ) -> None:
        self._of_name, self._top, self._names = of_name, top, 0
        self.root = Place()
        # By paths that are more than names: the member with which each begins, and what is found.
        self._found: list[tuple[str | None, Find, Entry | Place]] = []
        self.conditions: list[tuple[frozenset[str], Find, Entry]] = []
        begin: list[str | None] = []
        for value in values:
            names = _names(value.path)
            if names:
                self.root.at(names[:-1]).values.setdefault(names[-1], []).append(entry(value.rule))
            else:
                meant = entry(value.rule)
                self._found.append((_first(value.path), value.find, meant))
                if joined := joined_names(value.path):
                    self.conditions.append((joined, value.find, meant))
                else:
                    begin.append(_first(value.path))
        for path, find in inside:
            names = _names(path) if path else []
            place = Place() if names is None else self.root.at(names)
            place.by_name = True
            if names is None and find is not None:
                self._found.append((_first(path), find, place))
                begin.append(_first(path))
        self.firsts = None if None in begin else frozenset(filter(None, begin))

    def rows(self, record: dict[str, Any], unasked: list[str], stamp: Stamp) -> list[Row] | None:
        """The record's rows; None: the long way. `unasked`: gets the names that are not mapped."""
        rows: list[Row] = []
        passed: list[str] = []
        if not self._read(self.root, record, rows, passed, stamp):
            return None
        if self._found and not self._by_paths(record, rows, passed, stamp):
            return None
        if len({row[0] for row in rows}) < len(rows):
            return None
        unasked += passed
        return rows

    def _read(self, place: Place, item: dict[str, Any], rows: list[Row], passed: list[str], stamp: Stamp) -> bool:
        """Add what an object holds; False: the long way."""
        plan = place.plans.get(tuple(item)) or self._learn(place, tuple(item))
        t, key, number = stamp
        for name, quantity, unit in plan.values:
            value = item[name]
            if (type(value) is float or type(value) is int) and -1e15 < value < 1e15:  # beyond, the long way decides
                rows.append((quantity, unit, float(value), t, key, number))
            elif value is not None:
                return False
        for name in plan.long:
            if item[name] is not None:
                return False
        for name in plan.unasked:
            if item[name] is not None:
                passed.append(name[:80])
        for name, below in plan.inner:
            inner = item[name]
            if type(inner) is dict and not self._read(below, inner, rows, passed, stamp):
                return False
        return True

    def _by_paths(self, record: dict[str, Any], rows: list[Row], passed: list[str], stamp: Stamp) -> bool:
        for first, find, meant in self._found:
            if first is not None and first not in record:
                continue
            item = find(record)
            if isinstance(meant, Place):
                if type(item) is dict and not self._read(meant, item, rows, passed, stamp):
                    return False
            elif item is not None:
                quantity, unit = meant
                plain = (type(item) is float or type(item) is int) and -1e15 < item < 1e15
                if not plain or not quantity:
                    return False
                rows.append((quantity, unit, float(item), *stamp))
        return True

    def _learn(self, place: Place, names: tuple[str, ...]) -> Plan:
        plan = self.plan(place, names)
        if all(len(name) <= _LONGEST for name in names):
            self._remember(place, names, plan)
        return plan

    def plan(self, place: Place, names: Sequence[str]) -> Plan:
        """What an object with these names holds."""
        plan = Plan([], [], [], [(name, place.inner[name]) for name in names if name in place.inner])
        for name in names:
            entries = place.values.get(name, [])
            if place.by_name and not (place is self.root and name in self._top):
                entries = [*entries, self._of_name(name)]
            for entry in entries:
                if entry is UNASKED:
                    plan.unasked.append(name)
                elif entry is LONG:
                    plan.long.append(name)
                elif entry is not PASS:
                    plan.values.append((name, *entry))
        return plan

    def _remember(self, place: Place, names: tuple[str, ...], plan: Plan) -> None:
        self._names += len(names) + 1
        if self._names > _MOST_NAMES:
            _forget(self.root)
            for _, _, meant in self._found:
                if isinstance(meant, Place):
                    _forget(meant)
            self._names = len(names) + 1
        if self._names <= _MOST_NAMES:
            place.plans[names] = plan


def _first(path: str) -> str | None:
    """The member without which a path finds nothing; None where it may find something without (`a || b`)."""
    return first_name(path) if _CHAIN.fullmatch(path) else None


def _names(path: str) -> list[str] | None:
    """The names of which a path is made; None where it is made of more."""
    found = steps(path) or []
    names = [name for name in found if isinstance(name, str)]
    return names if names and len(names) == len(found) else None


def _forget(place: Place) -> None:
    place.plans.clear()
    for below in place.inner.values():
        _forget(below)
