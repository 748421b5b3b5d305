"""The short way of a mapping: records whose values are plain numbers, each quantity once. Pure.

What each path and each name means is worked out once. A record in which anything else occurs (text, labels, several
values of one quantity, a rule with conditions) is left to the mapping's long way, which gives the same for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from gateway.decoding.paths import Find, steps
from registry.mapping import ValueRule

_MOST_NAMES = 10_000
_LARGEST = 1e15  # beyond it the long way decides

# quantity and unit; LONG: the long way must read it; PASS: nothing; UNASKED: to be counted
Entry = tuple[str, str | None]
LONG: Final[Entry] = ("", "long")
PASS: Final[Entry] = ("", "pass")
UNASKED: Final[Entry] = ("", "unasked")

_Items = list[tuple[Entry, Any]]


class Value(NamedTuple):
    """A value by its path."""

    path: str
    find: Find
    rule: ValueRule


class Quick:
    """`entry`: what a rule means, LONG where it has conditions. `of_name`: the rule of a name, PASS or UNASKED.

    `inside`: places of named values, None for the record itself; `places`: the same as names of members, where they
    are many. `top`: members of the record that are not read by name.
    """

    def __init__(
        self,
        values: Sequence[Value],
        entry: Callable[[ValueRule], Entry],
        of_name: Callable[[str], Entry],
        inside: Sequence[Find | None],
        places: frozenset[str] | None,
        top: frozenset[str],
    ) -> None:
        self._of_name, self._inside, self._places = of_name, inside, places
        self._top: dict[str, Entry] = dict.fromkeys(top, PASS)
        self._deep: dict[str, Entry] = {}
        self._single: list[tuple[str, Entry]] = []
        self._groups: dict[str, list[tuple[str, Entry]]] = {}
        self._paths: list[tuple[Find, Entry]] = []
        for value in values:
            self._place(value, entry(value.rule))

    def _place(self, value: Value, entry: Entry) -> None:
        names = steps(value.path)
        plain = [name for name in names or () if isinstance(name, str)]
        if names is None or len(plain) != len(names) or len(plain) > 2:
            self._paths.append((value.find, entry))
        elif len(plain) == 1:
            self._single.append((plain[0], entry))
        else:
            self._groups.setdefault(plain[0], []).append((plain[1], entry))

    def values(self, record: dict[str, Any], unasked: list[str]) -> dict[str, tuple[float, str | None]] | None:
        """Value and unit of each quantity; None: the long way. `unasked`: gets the names nobody asked for."""
        items = [(entry, item) for name, entry in self._single if (item := record.get(name)) is not None]
        for name, members in self._groups.items():
            inner = record.get(name)
            if type(inner) is dict:
                items += [(entry, item) for key, entry in members if (item := inner.get(key)) is not None]
        if self._paths:
            items += [(entry, item) for find, entry in self._paths if (item := find(record)) is not None]
        passed: list[str] = []
        self._named(record, items, passed)
        found: dict[str, tuple[float, str | None]] = {}
        for (quantity, unit), item in items:
            kind = type(item)
            if (kind is not float and kind is not int) or not quantity or quantity in found:
                return None
            if not -_LARGEST < item < _LARGEST:
                return None
            found[quantity] = float(item), unit
        unasked += passed
        return found

    def _named(self, record: dict[str, Any], items: _Items, passed: list[str]) -> None:
        """Add what members mean by their names."""
        if self._places is not None:
            for name, members in record.items():
                if name in self._places and type(members) is dict:
                    self._members(members, self._deep, items, passed)
            return
        for find in self._inside:
            if find is None:
                self._members(record, self._top, items, passed)
            elif type(members := find(record)) is dict:
                self._members(members, self._deep, items, passed)

    def _members(self, members: Mapping[str, Any], known: dict[str, Entry], items: _Items, passed: list[str]) -> None:
        for name, item in members.items():
            entry = known.get(name)
            if entry is None:
                entry = self._learn(name, known)
            if entry is PASS or item is None:
                continue
            if entry is UNASKED:
                passed.append(name[:80])
            else:
                items.append((entry, item))

    def _learn(self, name: str, known: dict[str, Entry]) -> Entry:
        entry = self._of_name(name)
        if len(known) < _MOST_NAMES:
            known[name] = entry
        return entry
