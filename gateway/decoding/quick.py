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
        found: dict[str, tuple[float, str | None]] = {}
        for name, entry in self._single:
            item = record.get(name)
            if item is not None and not _put(found, entry, item):
                return None
        for name, members in self._groups.items():
            inner = record.get(name)
            if type(inner) is dict:
                for key, entry in members:
                    item = inner.get(key)
                    if item is not None and not _put(found, entry, item):
                        return None
        for find, entry in self._paths:
            item = find(record)
            if item is not None and not _put(found, entry, item):
                return None
        passed: list[str] = []
        if not self._named(record, found, passed):
            return None
        unasked += passed
        return found

    def _named(self, record: dict[str, Any], found: dict[str, tuple[float, str | None]], passed: list[str]) -> bool:
        """Put what members mean by their names; whether the short way is enough."""
        if self._places is not None:
            return all(
                self._members(members, self._deep, found, passed)
                for name, members in record.items()
                if name in self._places and type(members) is dict
            )
        for find in self._inside:
            if find is None:
                if not self._members(record, self._top, found, passed):
                    return False
            elif type(members := find(record)) is dict and not self._members(members, self._deep, found, passed):
                return False
        return True

    def _members(
        self,
        members: Mapping[str, Any],
        known: dict[str, Entry],
        found: dict[str, tuple[float, str | None]],
        passed: list[str],
    ) -> bool:
        for name, item in members.items():
            entry = known.get(name)
            if entry is None:
                entry = self._learn(name, known)
            if entry is PASS or item is None:
                continue
            if entry is UNASKED:
                passed.append(name[:80])
            elif not _put(found, entry, item):
                return False
        return True

    def _learn(self, name: str, known: dict[str, Entry]) -> Entry:
        entry = self._of_name(name)
        if len(known) < _MOST_NAMES:
            known[name] = entry
        return entry


def _put(found: dict[str, tuple[float, str | None]], entry: Entry, item: Any) -> bool:  # noqa: ANN401
    """Note a plain number under its quantity; False where the long way is needed."""
    kind = type(item)
    quantity, unit = entry
    if (kind is not float and kind is not int) or not quantity or quantity in found or not -_LARGEST < item < _LARGEST:
        return False
    found[quantity] = float(item), unit
    return True
