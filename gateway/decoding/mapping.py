"""A decoded message into readings, as its device family or source defines: `Mapper.rows`.

A message is one record or many; of each the device and the time are found, then its values: by path, or by the name
of a member. Several values of one quantity follow the template (a total wins over its parts, parts are combined) or
are rejected with a sentence. What is not mapped is counted, not stored. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Mapping as Names
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from gateway.decoding.decoded import BY_ARRIVAL, LARGEST, Decoded
from gateway.decoding.number import Labelled, labelled, looks_numeric, number
from gateway.decoding.paths import compiled, first_name
from gateway.decoding.plain import PlainReaders
from gateway.decoding.quick import LONG, PASS, UNASKED, Entry, Quick, Value
from gateway.decoding.records import Clock, Context, DeviceName
from gateway.decoding.sessions import add_session, session_key
from registry.mapping import Mapping, ValueRule
from telemetry.errors import Rejected
from telemetry.quantities import QUANTITIES
from telemetry.stamps import read_stamp

_MOST_NAMES, _LONGEST_NAME = 10_000, 128  # of which is remembered what they are
_Hits = dict[str, list["_Hit"]]


class _Hit(NamedTuple):
    """A number of a record that belongs to a quantity."""

    name: str
    value: float
    unit: str | None
    t: int | None
    part: str | None
    place: int = 0  # of its rule in the template


class Mapper:
    """Reads the messages of one source. `devices`: sender's names -> ids. `zone`: of stamps that name none."""

    def __init__(
        self, mapping: Mapping, devices: Names[str, str], zone: ZoneInfo | None = None, secret: bytes = b""
    ) -> None:
        self._m, self._secret = mapping, secret
        self._device = DeviceName(mapping.device, devices) if mapping.device else None
        self._clock = Clock(mapping.time, zone)
        self._zone = zone
        self._each = compiled(mapping.each) if mapping.each else None
        self._unless = compiled(mapping.unless) if mapping.unless else None
        self._values = [
            Value(path, compiled(path), rule) for path, rule in mapping.values.items() if path not in mapping.ignore
        ]
        rules = (*mapping.values.values(), *mapping.names.values())
        self._order = {id(rule): place for place, rule in enumerate(rules)}
        # Rules of which a plain number is taken as it is.
        self._plain = {
            id(rule): (rule.quantity, rule.unit, rule.part, self._order[id(rule)])
            for rule in rules
            if not (rule.none or mapping.none or rule.states or rule.unit_path) and rule.scale == 1.0
        }
        names = [place for place in mapping.inside if place]
        few = len(names) < max(4, len(mapping.inside))  # the record itself is a place too, or there are few
        self._named_places = None if few or not all(map(str.isidentifier, names)) else frozenset(names)
        self._unit_paths = {id(rule): compiled(rule.unit_path) for rule in rules if rule.unit_path}
        self._inside = [(place, compiled(place) if place else None) for place in mapping.inside]
        self._none = frozenset(map(str, mapping.none))
        self._known: dict[str, ValueRule | None] = dict(mapping.names)
        self._globs = [(name, rule) for name, rule in mapping.names.items() if any(c in name for c in "*?[")]
        self._used = self._top_names()
        self._numbered = len(mapping.numbered) == 2 and frozenset(mapping.ignore).isdisjoint(mapping.numbered)
        self._quick = Quick(self._values, self._entry, self._entry_of_name, self._inside, self._used)
        self._session_energy = mapping.session.energy if mapping.session else None
        self._arrival = 0
        parts = self._quick, self._others(), self._clock, self._device
        self.shortest = None if self._each or self._unless else PlainReaders(*parts)  # ways of usual messages

    def device(self, levels: Names[str, str]) -> str:
        """The device of an address with these named levels; empty where the payload may name it. Raises Rejected."""
        if self._device is None or not self._device.is_named_by(levels):
            return ""
        return self._device.of(Context({}, {}, levels))

    def _entry(self, rule: ValueRule) -> Entry:
        """What a plain number under a rule is; LONG where the rule has conditions, or no unit is known."""
        if rule.none or self._m.none or rule.states or rule.unit_path or rule.scale != 1.0:
            return LONG
        if rule.unit is None and not self._m.catalogue and QUANTITIES[rule.quantity].unit not in ("/", "count"):
            return LONG
        return rule.quantity, rule.unit

    def _entry_of_name(self, name: str) -> Entry:
        rule = self._known[name] if name in self._known else self._learn(name)
        if rule is not None:
            return self._entry(rule)
        if self._ignored(name):
            return PASS
        return LONG if self._m.others == "keep" else UNASKED

    def _top_names(self) -> frozenset[str]:
        """Members of the message that are read otherwise than by name."""
        m = self._m
        paths = [*m.values, *self._clock.paths, *(self._device.paths if self._device else []), *m.inside, m.each or ""]
        found = {first_name(path) for path in paths if path}
        return self._others().union(name for name in found if name)

    def _others(self) -> frozenset[str]:
        """Members of the message that are neither values nor device nor time."""
        session = self._m.session
        return frozenset([*self._m.numbered, *((session.energy, session.id, session.end) if session else ())])

    # -- records -----------------------------------------------------------------------------------------------------

    def decoded(self, messages: list[Any], levels: Names[str, str], arrival: int) -> Decoded:
        """Rows of the messages of one payload, by device in `more`. Raises Rejected where nothing can be read."""
        if self._each is None and len(messages) == 1 and type(messages[0]) is dict:
            return self._single(Context(messages[0], messages[0], levels), arrival)
        out: dict[str, Decoded] = {}
        problems: list[str] = []
        for message in messages:
            for inner, outer, key in self._records(message):
                context = Context(inner, outer, levels if key is None else {**levels, "key": key})
                try:
                    device = self._device.of(context) if self._device else ""
                except Rejected as reason:
                    problems.append(str(reason))
                    continue
                found = out.get(device)
                if found is None:
                    found = out[device] = Decoded(device=device or None)
                self._record(found, context, arrival)
        if not out:
            if problems:
                raise Rejected("; ".join(dict.fromkeys(problems)))
            return Decoded()
        first, *rest = out.values()
        first.more, first.problems = tuple(rest), problems + first.problems
        return first

    def records(self, messages: list[Any]) -> list[Any]:
        """The records of the messages of one payload, within which paths lead to values."""
        return [inner for message in messages for inner, _, _ in self._records(message)]

    def _single(self, record: Context, arrival: int) -> Decoded:
        """The usual payload: one record of one device."""
        found = Decoded(device=self._device.of(record) or None if self._device else None)
        self._record(found, record, arrival)
        return found

    def _records(self, message: Any) -> Iterator[tuple[Any, Any, str | None]]:  # noqa: ANN401
        """The records of a message: itself, or each member of a list in it."""
        if self._each is None:
            for item in message if isinstance(message, list) else [message]:
                yield item, item, None
            return
        for outer in message if isinstance(message, list) else [message]:
            found = self._each(outer)
            if isinstance(found, dict):
                # A member that is one value becomes a record with that member alone.
                yield from ((i if isinstance(i, dict) else {k: i}, outer, str(k)) for k, i in found.items())
            elif isinstance(found, list):
                yield from ((item, outer, str(place)) for place, item in enumerate(found) if item is not None)

    def _record(self, out: Decoded, record: Context, arrival: int) -> None:
        inner, self._arrival = record.inner, arrival
        if not isinstance(inner, dict):
            out.problems.append("a record is not an object with named values")
            return
        if self._unless is not None and record.find(self._unless):
            return
        if self._numbered:
            out.records += self._number(inner)
        try:
            t = self._clock.of(record, arrival)
        except Rejected as reason:
            out.problems.append(str(reason))
            return
        if self._session_energy is not None and self._session_energy in inner:
            self._session(out, inner, arrival if t is None else t, BY_ARRIVAL if t is None else 0)
            out.by_arrival |= t is None
        else:
            at, key = (arrival, BY_ARRIVAL) if t is None else (t, 0)
            rows = self._quick.rows(inner, out.unasked, (at, key, len(out.records) - 1))
            if rows is not None:
                out.rows += rows
                out.by_arrival |= t is None and bool(rows)
                return
        hits: _Hits = {}
        for entry in self._values:
            found = entry.find(inner)
            if found is not None:
                self._take(out, hits, entry.path, found, entry.rule, record)
        self._by_name(out, hits, record)
        for quantity, found_hits in hits.items():
            self._add(out, quantity, found_hits, t, arrival)

    def _by_name(self, out: Decoded, hits: _Hits, record: Context) -> None:
        """What the members of the record, or of places in it, are by their names."""
        inner = record.inner
        if self._named_places is not None:  # of many places a message has few
            for name, members in inner.items():
                if name in self._named_places and type(members) is dict:
                    self._members(out, hits, members, record, top=False)
            return
        for place, find in self._inside:
            members = inner if find is None else find(inner)
            if isinstance(members, dict):
                self._members(out, hits, members, record, top=not place)

    def _number(self, message: dict[str, Any]) -> list[tuple[int, int]]:
        """Boot and number of the record, for the loss ledger, where the device family declares them as such.

        Other makes use these names for a reset reason or a counter of their own, and ignore them.
        """
        boot, seq = map(message.get, self._m.numbered)
        if boot is None or seq is None:
            return []
        for given in (boot, seq):
            if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < LARGEST:
                return []
        return [(boot, seq)]

    # -- values ------------------------------------------------------------------------------------------------------

    def _members(self, out: Decoded, hits: _Hits, members: dict[str, Any], record: Context, top: bool) -> None:
        for name, item in members.items():
            if top and name in self._used:
                continue
            rule = self._known[name] if name in self._known else self._learn(name)
            if rule is not None:
                self._take(out, hits, name, item, rule, record)
            elif item is not None and not self._ignored(name):
                self._unasked(out, name, item)

    def _learn(self, name: str) -> ValueRule | None:
        rule: ValueRule | None = None
        if not self._ignored(name):
            rule = next((r for pattern, r in self._globs if fnmatchcase(name, pattern)), None)
            if rule is None and self._m.catalogue and name in QUANTITIES:
                rule = ValueRule.model_construct(quantity=name)
        if len(self._known) < _MOST_NAMES and len(name) <= _LONGEST_NAME:
            self._known[name] = rule
        return rule

    def _ignored(self, name: str) -> bool:
        return any(name == pattern or fnmatchcase(name, pattern) for pattern in self._m.ignore)

    def _unasked(self, out: Decoded, name: str, item: object) -> None:
        if self._m.others == "keep" and looks_numeric(item):
            out.problems.append(f"unknown quantity '{name[:40]}'")
        else:
            out.unasked.append(name[:80])

    def _take(
        self,
        out: Decoded,
        hits: _Hits,
        name: str,
        item: Any,  # noqa: ANN401
        rule: ValueRule,
        record: Context,
    ) -> None:
        """Put what was found under a name, one value or several, among the hits of its quantity."""
        kind = type(item)
        if (kind is float or kind is int) and id(rule) in self._plain and -1e15 < item < 1e15:
            quantity, unit, part, place = self._plain[id(rule)]
            hits.setdefault(quantity, []).append(_Hit(name, float(item), unit, None, part, place))
            return
        unit = rule.unit
        if id(rule) in self._unit_paths:
            said = record.find(self._unit_paths[id(rule)])
            unit = said if isinstance(said, str) else unit
        several: list[Any] = [item]
        if isinstance(item, list):
            several = item
        elif isinstance(item, dict) and rule.part is not None and labelled(item) is None:
            several = list(item.values())  # phases side by side: L1, L2, L3
        found = hits.setdefault(rule.quantity, [])
        for one in several:
            try:
                hit = self._hit(name, one, rule, unit)
            except Rejected as reason:
                out.problems.append(f"'{rule.quantity}' {reason}")
                continue
            if hit is not None:
                found.append(hit)
            elif rule.part in ("sum", "max") and len(several) > 1:
                out.problems.append(f"'{rule.quantity}': one of its parts ({name[:40]}) has no value")
                found.clear()
                return

    def _hit(self, name: str, item: Any, rule: ValueRule, unit: str | None) -> _Hit | None:  # noqa: ANN401
        """One value, None where the device reports that it has none. Raises Rejected."""
        if type(item) is float and not rule.none and not self._none and not rule.states and rule.scale == 1.0:
            return _Hit(name, item, unit, None, rule.part, self._order.get(id(rule), 0))
        given = Labelled(item)
        if isinstance(item, dict):
            found = labelled(item)
            if found is None:
                raise Rejected("has no numeric value")
            given = found
        if rule.states and str(given.value) in rule.states:
            return _Hit(name, rule.states[str(given.value)], unit, None, rule.part)
        value = number(given.value, self._m.decimal_comma)
        if value is None or self._says_none(given.value, value, rule):
            return None
        if given.tens:
            value = value * 10.0**given.tens if given.tens > 0 else value / 10.0**-given.tens
        t = None if given.time in (None, "") else self._clock.read(given.time, self._arrival)
        return _Hit(name, value * rule.scale, given.unit or unit, t, rule.part, self._order.get(id(rule), 0))

    def _says_none(self, given: object, value: float, rule: ValueRule) -> bool:
        if not (rule.none or self._none):
            return False
        said = {str(given), f"{value:g}", str(value)}
        return bool(said & self._none) or any(str(x) in said for x in rule.none)

    def _add(self, out: Decoded, quantity: str, hits: list[_Hit], t: int | None, arrival: int) -> None:
        """The quantity's one reading of this record."""
        if not hits:
            return
        if len(hits) == 1:
            hit: _Hit | None = hits[0]
        else:
            try:
                hit = self._one(quantity, hits)
            except Rejected as reason:
                out.problems.append(str(reason))
                return
        if hit is None:
            return
        if hit.unit is None and not self._m.catalogue and QUANTITIES[quantity].unit not in ("/", "count"):
            out.problems.append(
                f"'{quantity}' names no unit; say it: `names = {{ \"{hit.name}\" = {{ ... unit = ... }} }}`"
            )
            return
        at = hit.t if hit.t is not None else t
        if at is None:
            out.by_arrival = True
        out.add(quantity, hit.unit, hit.value, arrival if at is None else at, BY_ARRIVAL if at is None else 0)

    def _one(self, quantity: str, hits: list[_Hit]) -> _Hit | None:
        """The value that counts, of several or of one. Raises Rejected where nothing determines it."""
        totals = [hit for hit in hits if hit.part is None]
        chosen = totals or hits
        if len(chosen) == 1:
            return chosen[0]
        how = self._m.combine.get(quantity) if totals else chosen[0].part
        if how == "single":
            return None
        if how is None:
            names = ", ".join(dict.fromkeys(hit.name for hit in chosen))
            raise Rejected(
                f"'{quantity}' has {len(chosen)} values in one message ({names[:80]});"
                f' say which counts with `combine = {{ {quantity} = "sum" }}` (or mean, max, first) in this source'
            )
        first = min(chosen, key=lambda hit: hit.place)
        if how == "first":
            return first
        if len({hit.unit for hit in chosen}) > 1:
            raise Rejected(f"'{quantity}' has values of different units in one message")
        return first._replace(value=_COMBINED[how]([hit.value for hit in chosen]))

    def _session(self, out: Decoded, message: dict[str, Any], start: int, unnamed: int) -> None:
        """A charging session; an end that cannot be read costs the connected time, not the energy."""
        rule = self._m.session
        assert rule is not None  # noqa: S101 - for mypy
        try:
            hit = self._hit(
                rule.energy, message[rule.energy], ValueRule.model_construct(quantity="session_energy"), None
            )
        except Rejected as reason:
            out.problems.append(f"'session_energy' {reason}")
            return
        if hit is None:
            return
        end = None
        if message.get(rule.end) is not None:
            try:
                end = read_stamp(message[rule.end], self._zone)
            except Rejected as reason:
                out.problems.append(f"'end' of a session is not a valid time ({reason}): connected time is left out")
        identity = message.get(rule.id)
        key = session_key(identity, secret=self._secret) if identity is not None else unnamed
        add_session(out, start, end, hit.value, hit.unit, key)


_COMBINED: dict[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "mean": lambda values: sum(values) / len(values),
    "max": max,
}
