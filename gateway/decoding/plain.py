"""The shortest way of a mapping: a JSON object whose values are plain numbers, of one device at each address.

The values may stand in objects of the message, and the message may name the device: then the way is that of the device
that the first message named. What a message of such names means is worked out once, for all messages with the same
names, so also what a condition like `(power || energy) && voltage` finds, as far as that depends on names alone.
Anything else (text, labels, record numbers, a time that cannot be right) is left to `Mapper`, which gives the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from operator import itemgetter
from typing import Any, NamedTuple

import msgspec

from gateway.decoding.decoded import Frames
from gateway.decoding.paths import first_name, steps
from gateway.decoding.quick import Entry, Plan, Quick
from gateway.decoding.records import Clock, Context, DeviceName
from telemetry.errors import Rejected

# What is remembered of one source, at most 5 MB: a sender can invent any number of names of any length.
MOST_SHAPES, _MOST_NAMES, _LONGEST_NAMES = 2_000, 24, 600
_LARGEST = 1e15  # beyond it the long way decides
_NUMBERS = {float, int}
_NONE = list[object]()
_LONGEST_ID = 128  # of what a member says that names a device
_MOST_UNKNOWN = 3  # members of a condition that may be of any kind


class Shape:
    """What the members of messages with the same names are. `entries`: quantity and unit of each value.

    `pick`: takes the values from all members, None where all are values. `clock`: the place of the time, or None.
    `objects`: the places of members whose own members count; the shape of the whole then depends on their names too.
    `naming`: the places of members that name the device beside the address. `unasked`: names that are not mapped.
    `kinds`: what a batch notes of the entries of each (city, device), `of`: which batch; forgotten with the shape.
    """

    __slots__ = ("clock", "entries", "kinds", "naming", "objects", "of", "passed", "pick", "unasked")

    def __init__(
        self,
        entries: list[Entry],
        places: list[int],
        members: int,
        clock: int | None,
        objects: Sequence[int] = (),
        naming: Sequence[int] = (),
        unasked: Sequence[tuple[int, str]] = (),
    ) -> None:
        self.entries, self.clock, self.objects, self.naming = entries, clock, objects, naming
        self.unasked, self.passed = [name for _, name in unasked], [place for place, _ in unasked]
        self.pick = None if places in ([], [*range(members)]) else _picker(places)
        self.kinds: dict[tuple[str, str], list[int]] = {}
        self.of: object = None

    def fits(self, members: list[Any], named: Sequence[object]) -> bool:
        """Whether there is a value for each name that is not mapped, and the device is the one that is named so."""
        if None in [members[place] for place in self.passed]:
            return False
        naming = [members[place] for place in self.naming]
        return naming == named and [*map(type, naming)] == [*map(type, named)]  # 0 == False


def _differ(found: object, place: int | None) -> bool:
    return found is False or found != place  # 0 == False


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
    """`quick`: what names mean; `others`: members of the message that have another meaning, beside the time. `naming`:
    members that name the device beside the address.
    """

    def __init__(self, quick: Quick, others: frozenset[str], clock: Clock, naming: Sequence[str] = ()) -> None:
        self._quick, self._clock, self._naming = quick, clock, naming
        times = [steps(path) or [None] for path in clock.paths]
        only = times[0][0] if len(times) == 1 and len(times[0]) == 1 else None
        self._time = only if isinstance(only, str) else None
        # A time at any other path is one of the members with another meaning, whatever else its object holds.
        self._others = others.union(path[0] for path in times if isinstance(path[0], str) and path[0] != self._time)
        # A condition may need any member.
        self.usable = quick.firsts is not None and all(isinstance(path[0], str) for path in times)
        self._shapes: dict[tuple[Any, ...], Shape] = {}  # by the names of members, and those of objects among them

    def read(self, payload: bytes, arrival: int, named: Sequence[object] = _NONE) -> Message | None:
        """The message; None where the long way must read it. `arrival`: ms UTC. `named`: what the members `naming` hold
        in the messages of this device.
        """
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
        is_usual = not (shape.passed or named) or shape.fits(members, named)
        if not is_usual or not shape.entries or not _NUMBERS.issuperset(map(type, values)):
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
        # Within a number, a path finds nothing.
        others = self._others | ((self._quick.firsts or frozenset()) - values)
        if self._time in values or not set(self._naming).issubset(names) or not others.isdisjoint(names):
            return LONG_WAY
        plans, met, first = [plan, *self._plans(plan, inner)], self._met(names, values), 0
        found, unasked = list[tuple[int, Entry]](), list[tuple[int, str]]()
        for known, members in zip(plans, [names, *inner], strict=False):
            if known.long or (known is not plan and known.inner) or met is None:
                return LONG_WAY
            unasked += [(first + members.index(name), name[:80]) for name in known.unasked]
            found += [(first + members.index(name), (quantity, unit)) for name, quantity, unit in known.values]
            first += len(members)
        found += met or []
        if plan.inner and not inner:
            return Shape([], [], len(names), None, [names.index(name) for name, _ in plan.inner])
        if not found or len({quantity for _, (quantity, _) in found}) < len(found):
            return LONG_WAY
        clock = None if self._time is None or self._time not in names else names.index(self._time)
        naming = [names.index(name) for name in self._naming]
        places = [place for place, _ in found]
        return Shape([entry for _, entry in found], places, first, clock, naming=naming, unasked=unasked)

    def _met(self, names: tuple[str, ...], values: set[str]) -> list[tuple[int, Entry]] | None:
        """Places and entries of what conditions find; None where that depends on more than the names.

        Members of `values` are numbers, which are true, and so is what is found: a message in which it is something
        else is read by the long way. Of the others that a condition names, each may be true, null, or something else
        that is not true, which a condition can find.
        """
        found = list[tuple[int, Entry]]()
        for joined, find, entry in self._quick.conditions:
            sure = {name: place for place, name in enumerate(names) if name in joined}
            place = find(sure)
            unknown = [name for name in sure if name not in values and sure[name] != place]
            if len(unknown) > _MOST_UNKNOWN or not all(entry):
                return None
            kinds = [((name, sure[name]), (name, None), (name, False)) for name in unknown]
            if any(_differ(find(sure | dict(case)), place) for case in product(*kinds)):
                return None
            found += [] if place is None else [(place, entry)]
        return found

    def _plans(self, plan: Plan, inner: Sequence[tuple[str, ...]]) -> Iterator[Plan]:
        """What the objects of a message hold."""
        for (_, place), names in zip(plan.inner, inner, strict=False):
            yield self._quick.plan(place, names)


class PlainReaders:
    """The readers of one mapping, by the members that name the device."""

    def __init__(self, quick: Quick, others: frozenset[str], clock: Clock, device: DeviceName | None) -> None:
        self._parts, self._device = (quick, others, clock), device
        self._readers: dict[tuple[str, ...], PlainReader] = {}

    def are_by_payload(self, levels: Mapping[str, str]) -> bool:
        """Whether messages of an address name the device, and may be read by the shortest way."""
        names = self._device.members(levels) if self._device else None
        return bool(names) and self._reader(names or []).usable

    def _reader(self, names: Sequence[str]) -> PlainReader:
        if tuple(names) not in self._readers:
            quick, others, clock = self._parts
            device = {first_name(path) for path in self._device.paths} if self._device else set()
            others = others.union(filter(None, device.difference(names)))
            self._readers[tuple(names)] = PlainReader(quick, others, clock, names)
        return self._readers[tuple(names)]

    def of(self, levels: Mapping[str, str], payload: bytes) -> tuple[ReadPlain, str] | None:
        """The shortest way of the messages of one address, and their device; None where they need a longer one.

        Of an address that does not name the device: of the messages in which the same members as in `payload` name it.
        Raises Rejected.
        """
        names = self._device.members(levels) if self._device else None
        if names is None or self._device is None or bool(names) != bool(payload):
            return None
        reader = self._reader(names)
        record = _members(payload) if names else {}
        named = [record.get(name) for name in names]
        if not reader.usable or not all(type(item) in (int, str) and len(str(item)) <= _LONGEST_ID for item in named):
            return None
        read = partial(reader.read, named=named) if names else reader.read
        return read, self._device.of(Context(record, record, levels))


def _members(payload: bytes) -> dict[str, Any]:
    """Those of a message that is one object; else none."""
    try:
        found = _decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return {}
    return found if type(found) is dict else {}


class Plain(NamedTuple):
    """The shortest way of the messages of one address: all are of one device. Where the address does not name it,
    `device` is empty, and `of` gives the way of the messages that name the same device as a payload, or None.
    """

    read: ReadPlain
    device: str
    frames: Frames | None
    of: Callable[[bytes], Plain | None] | None = None
