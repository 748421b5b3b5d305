"""The shortest way of a mapping: a JSON object whose values are plain numbers, from a topic that names the device.

The values may stand in objects of the message. What a message of such names means is worked out once, for all messages
with the same names. Anything else (text, labels, record numbers, a rule with conditions, a time that cannot be right)
is left to `Mapper`, which gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from gateway.decoding.decoded import Frames
from gateway.decoding.paths import steps
from gateway.decoding.quick import Entry, Plan, Quick
from gateway.decoding.records import Clock
from telemetry.errors import Rejected

# What is remembered of one source, at most 5 MB: a sender can invent any number of names of any length.
MOST_SHAPES, _MOST_NAMES, _LONGEST_NAMES = 2_000, 24, 600
_LARGEST = 1e15  # beyond it the long way decides
_NUMBERS = {float, int}


class Shape:
    """What the members of messages with the same names are. `entries`: quantity and unit of each value.

    `pick`: takes the values from all members, None where all are values. `clock`: the place of the time, or None.
    `objects`: the places of members whose own members count; the shape of the whole then depends on their names too.
    `kinds`: what a batch notes of the entries of each (city, device), `of`: which batch; forgotten with the shape.
    """

    __slots__ = ("clock", "entries", "kinds", "objects", "of", "pick")

    def __init__(
        self, entries: list[Entry], places: list[int], members: int, clock: int | None, objects: Sequence[int] = ()
    ) -> None:
        self.entries, self.clock, self.objects = entries, clock, objects
        self.pick = None if len(places) in (0, members) else _picker(places)
        self.kinds: dict[tuple[str, str], list[int]] = {}
        self.of: object = None


def _picker(places: list[int]) -> Callable[[list[Any]], Sequence[Any]]:
    if len(places) == 1:
        return lambda members, place=places[0]: (members[place],)  # type: ignore[misc]
    return itemgetter(*places)


LONG_WAY = Shape([], [], 0, None)


# Shape of a message, its values in the order of `shape.entries`, its time (ms UTC), None where the arrival counts, and
# boot and seq where they number its record.
Message = tuple[Shape, Sequence[float], int | None, tuple[int, int] | None]
ReadPlain = Callable[[bytes, int], Message | None]
_decode = msgspec.json.Decoder().decode


class PlainReader:
    """`quick`: what names mean; `others`: members of the message that have another meaning."""

    def __init__(self, quick: Quick, others: frozenset[str], clock: Clock) -> None:
        self._quick, self._others, self._clock = quick, others, clock
        times = [steps(path) or [] for path in clock.paths]
        only = times[0][0] if len(times) == 1 and len(times[0]) == 1 else None
        self._time = only if isinstance(only, str) else None
        # A condition may need any member, and the time may stand anywhere.
        self.usable = quick.firsts is not None and (not times or self._time is not None)
        self._shapes: dict[tuple[Any, ...], Shape] = {}  # by the names of members, and those of objects among them

    def read(self, payload: bytes, arrival: int) -> Message | None:
        """The message; None where the long way must read it. `arrival`: ms UTC."""
        try:
            record = _decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        if type(record) is not dict or len(record) > _MOST_NAMES:
            return None
        names = tuple(record)
        shape = self._shapes.get(names) or self._learn(names)
        members = list(record.values())
        if shape.objects:
            shape = self._whole(names, shape.objects, members)
        values = members if shape.pick is None else shape.pick(members)
        if not shape.entries or not _NUMBERS.issuperset(map(type, values)):
            return None
        if max(values) >= _LARGEST or min(values) <= -_LARGEST:
            return None
        if shape.clock is None:
            return shape, values, None, None
        return self._dated(shape, values, members[shape.clock], arrival)

    def _whole(self, names: tuple[str, ...], objects: Sequence[int], members: list[Any]) -> Shape:
        """The shape of a message with objects, whose members are added to `members`."""
        key: list[tuple[str, ...]] = [names]
        for place in objects:
            item = members[place]
            if type(item) is not dict:
                return LONG_WAY
            key.append(tuple(item))
            members += item.values()
        return self._shapes.get(tuple(key)) or self._learn(*key)

    def _dated(self, shape: Shape, values: Sequence[float], given: Any, arrival: int) -> Message | None:  # noqa: ANN401
        if given in (None, "", "now"):
            return None
        try:
            return shape, values, self._clock.read(given, arrival), None
        except Rejected:
            return None

    def _learn(self, names: tuple[str, ...], *inner: tuple[str, ...]) -> Shape:
        every = [name for some in (names, *inner) for name in some]
        if len(every) > _MOST_NAMES or sum(map(len, every)) > _LONGEST_NAMES:
            return LONG_WAY
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        shape = self._shapes[(names, *inner) if inner else names] = self._shape(names, inner)
        return shape

    def _shape(self, names: tuple[str, ...], inner: Sequence[tuple[str, ...]]) -> Shape:
        plan = self._quick.plan(self._quick.root, names)
        values = {name for name, _, _ in plan.values}
        usual = {*values, *(name for name, _ in plan.inner), self._time}
        others = self._others | (self._quick.firsts or frozenset())
        if self._time in values or any(name in others and name not in usual for name in names):
            return LONG_WAY
        plans, found, first = [plan, *self._plans(plan, inner)], list[tuple[int, Entry]](), 0
        for known, members in zip(plans, [names, *inner], strict=False):
            if known.long or known.unasked or (known is not plan and known.inner):
                return LONG_WAY
            found += [(first + members.index(name), (quantity, unit)) for name, quantity, unit in known.values]
            first += len(members)
        if plan.inner and not inner:
            return Shape([], [], len(names), None, [names.index(name) for name, _ in plan.inner])
        if not found or len({quantity for _, (quantity, _) in found}) < len(found):
            return LONG_WAY
        clock = None if self._time is None or self._time not in names else names.index(self._time)
        return Shape([entry for _, entry in found], [place for place, _ in found], first, clock)

    def _plans(self, plan: Plan, inner: Sequence[tuple[str, ...]]) -> Iterator[Plan]:
        """What the objects of a message hold."""
        for (_, place), names in zip(plan.inner, inner, strict=False):
            yield self._quick.plan(place, names)


class Plain(NamedTuple):
    """The shortest way of the messages of one address: all are of one device."""

    read: ReadPlain
    device: str
    frames: Frames | None
