"""The shortest way of a mapping: a JSON object whose members are plain numbers, from a topic that names the device.

What a message of such names means is worked out once, for all messages with the same names. Anything else (text,
labels, record numbers, a rule with conditions, a time that cannot be right) is left to `Mapper`, which gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from gateway.decoding.decoded import Frames
from gateway.decoding.paths import steps
from gateway.decoding.quick import LONG, PASS, UNASKED, Entry, Value
from gateway.decoding.records import Clock
from registry.mapping import ValueRule
from telemetry.errors import Rejected

# What is remembered of one source, at most 5 MB: a sender can invent any number of names of any length.
_MOST_SHAPES, _MOST_NAMES, _LONGEST_NAMES = 2_000, 24, 600
_LARGEST = 1e15  # beyond it the long way decides
_NUMBERS = {float, int}


class Shape:
    """What the members of messages with the same names are. `entries`: quantity and unit of each value.

    `pick`: takes the values from all members, None where all are values. `clock`: the place of the time, or None.
    `kinds`: what a batch notes of the entries of each (city, device), `of`: which batch; forgotten with the shape.
    """

    __slots__ = ("clock", "entries", "kinds", "of", "pick")

    def __init__(self, entries: list[Entry], places: list[int], members: int, clock: int | None) -> None:
        self.entries, self.clock = entries, clock
        self.pick = None if len(places) == members else _picker(places)
        self.kinds: dict[tuple[str, str], list[int]] = {}
        self.of: object = None


def _picker(places: list[int]) -> Callable[[list[Any]], Sequence[Any]]:
    if len(places) == 1:
        return lambda members, place=places[0]: (members[place],)  # type: ignore[misc]
    return itemgetter(*places)


_LONG_WAY = Shape([], [], 0, None)


class Message(NamedTuple):
    """The values of a message, in the order of `shape.entries`. `t`: ms UTC, None where the arrival counts."""

    shape: Shape
    values: Sequence[float]
    t: int | None


class PlainReader:
    """`values`: those read by path, `entry`: what a rule means; `others`: members that have another meaning, `of_name`:
    what any other member is.
    """

    def __init__(
        self,
        values: Sequence[Value],
        entry: Callable[[ValueRule], Entry],
        others: frozenset[str],
        of_name: Callable[[str], Entry],
        clock: Clock,
    ) -> None:
        paths = [(steps(value.path), entry(value.rule)) for value in values]
        self._single = {str(path[0]): meaning for path, meaning in paths if path and len(path) == 1}
        self.usable = all(path is not None for path, _ in paths)  # a condition may need any member
        self._others, self._of_name, self._clock = others, of_name, clock
        times = [steps(path) for path in clock.paths]
        self._time = times[0] if len(times) == 1 else None
        if times and not (self._time and len(self._time) == 1):
            self.usable = False  # the time may stand anywhere
        self._shapes: dict[tuple[str, ...], Shape] = {}

    def read(self, payload: bytes, arrival: int) -> Message | None:
        """The message; None where the long way must read it. `arrival`: ms UTC."""
        try:
            record = msgspec.json.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if type(record) is not dict or len(record) > _MOST_NAMES:
            return None
        shape = self._shapes.get(tuple(record)) or self._learn(tuple(record))
        members = list(record.values())
        values = members if shape.pick is None else shape.pick(members)
        if not shape.entries or not _usual(values):
            return None
        if shape.clock is None:
            return Message(shape, values, None)
        return self._dated(shape, values, members[shape.clock], arrival)

    def _dated(self, shape: Shape, values: Sequence[float], given: Any, arrival: int) -> Message | None:  # noqa: ANN401
        if given in (None, "", "now"):
            return None
        try:
            return Message(shape, values, self._clock.read(given, arrival))
        except Rejected:
            return None

    def _learn(self, names: tuple[str, ...]) -> Shape:
        if sum(map(len, names)) > _LONGEST_NAMES:
            return _LONG_WAY
        if len(self._shapes) >= _MOST_SHAPES:
            self._shapes.clear()
        shape = self._shapes[names] = self._shape(names)
        return shape

    def _shape(self, names: tuple[str, ...]) -> Shape:
        entries: list[Entry] = []
        places: list[int] = []
        clock = None
        for place, name in enumerate(names):
            if name not in self._single and self._time == [name]:
                clock = place
                continue
            entry = self._entry(name)
            if entry is PASS:
                continue
            if entry is LONG or entry is UNASKED or entry[0] in [quantity for quantity, _ in entries]:
                return _LONG_WAY
            entries.append(entry)
            places.append(place)
        return Shape(entries, places, len(names), clock) if entries else _LONG_WAY

    def _entry(self, name: str) -> Entry:
        if name in self._single:
            return self._single[name]
        return LONG if name in self._others else self._of_name(name)


def _usual(values: Sequence[Any]) -> bool:
    """Whether these are plain numbers."""
    return _NUMBERS.issuperset(map(type, values)) and max(values) < _LARGEST and min(values) > -_LARGEST


class Plain(NamedTuple):
    """The shortest way of the messages of one address: all are of one device."""

    read: Callable[[bytes, int], Message | None]
    device: str
    frames: Frames | None
