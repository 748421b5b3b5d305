"""Which device and which time a record of a message has: the parts of a mapping that stand before its values. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping as Names
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from gateway.decoding.decoded import clock_problem
from gateway.decoding.paths import Find, compiled, steps
from telemetry.errors import Rejected
from telemetry.stamps import read_stamp
from telemetry.topics import valid_id
from telemetry.windows import AHEAD, EARLIEST

if TYPE_CHECKING:
    from registry.mapping import TimeRule

_MOST_DEVICES, _LONGEST_NAME = 100_000, 128  # of which the id is remembered
_PIECE = re.compile(r"\{([^{}]*)\}")


class Context:
    """A record, the message around it, and the named levels of its topic."""

    __slots__ = ("inner", "levels", "outer")

    def __init__(self, inner: Any, outer: Any, levels: Names[str, str]) -> None:  # noqa: ANN401
        self.inner, self.outer, self.levels = inner, outer, levels

    def find(self, path: Find) -> Any:  # noqa: ANN401
        """What a path leads to in the record, else in the message."""
        found = path(self.inner)
        return path(self.outer) if found is None and self.outer is not self.inner else found


class DeviceName:
    """`{device}` and other levels of the topic, `{path}` into the message, `{key}` of a record, and text between.

    A part that is not there is left out with the text before it. `known`: the sender's names and the registry's ids.
    """

    def __init__(self, pattern: str, known: Names[str, str]) -> None:
        self._known = known
        self._ids: dict[str, str] = {}  # of names that were looked up
        pieces = _PIECE.split(pattern)
        self._end = pieces[-1]
        self.paths = pieces[1::2]  # into the message
        levels = [name if re.fullmatch(r"[a-z]+", name) else None for name in self.paths]
        self._parts = list(zip(pieces[:-1:2], levels, map(compiled, self.paths), strict=True))
        self._level = levels[0] if pieces[::2] == ["", ""] else None  # a level of the topic is all of it

    def is_named_by(self, levels: Names[str, str]) -> bool:
        """Whether the topic alone names the device."""
        return all(level is not None and level in levels for _, level, _ in self._parts)

    def members(self, levels: Names[str, str]) -> list[str] | None:
        """The members of a record that name the device beside these levels; None where it is found in another way."""
        found = [
            steps(path) for path, (_, level, _) in zip(self.paths, self._parts, strict=True) if level not in levels
        ]
        names = [path[0] for path in found if path and len(path) == 1 and isinstance(path[0], str)]
        return names if len(names) == len(found) else None

    def of(self, record: Context) -> str:
        """The registry's id. Raises Rejected where there is none, or it cannot be one."""
        if self._level is not None and (whole := record.levels.get(self._level)):
            return self._ids.get(whole) or self._find(whole)
        name, levels, inner, outer = "", record.levels, record.inner, record.outer
        for text, level, find in self._parts:
            found: Any = levels.get(level) if level else None
            if found is None and (found := find(inner)) is None and outer is not inner:
                found = find(outer)
            if (type(found) is str and found) or type(found) is int:
                name += f"{text if name or not text.startswith('-') else ''}{found}"
        if not name and self._parts:
            raise Rejected("the message names no device")
        return self._ids.get(name) or self._find(name)

    def _find(self, name: str) -> str:
        found = registered(name + self._end, self._known)
        if len(self._ids) < _MOST_DEVICES and len(name) <= _LONGEST_NAME:
            self._ids[name] = found
        return found


def registered(name: str, known: Names[str, str]) -> str:
    """The id of a device by its sender's name. Raises Rejected for a name that needs an entry in `devices`."""
    found: str | None = known.get(name)
    if found is None:
        found = next((known[pattern] for pattern in known if "*" in pattern and fnmatchcase(name, pattern)), name)
    if not valid_id(found):
        raise Rejected(f"device '{name[:80]}' cannot be an id; name it in `devices` of this source")
    return found


class Clock:
    """When a record was measured. `zone`: of stamps without one; "city" must have been resolved."""

    def __init__(self, rule: TimeRule | None, zone: ZoneInfo | None) -> None:
        self._rule, self._zone = rule, zone
        names = [] if rule is None else [rule.path] if isinstance(rule.path, str) else rule.path
        self.paths = names
        self._find = [compiled(name) for name in names]

    def of(self, record: Context, arrival: int) -> int | None:
        """Ms UTC; None where the arrival counts. Raises Rejected."""
        for find in self._find:
            given = find(record.inner)
            if given is None and record.outer is not record.inner:
                given = find(record.outer)
            if given is not None and given not in ("", "now"):
                return self.read(given, arrival)
        return None

    def read(self, given: object, arrival: int) -> int | None:
        """One stamp, as `of`."""
        if isinstance(given, dict):
            given = given.get("@value", given.get("value"))
        t = read_stamp(given, self._zone, arrival, self._rule.format if self._rule else None)
        if t < EARLIEST and self._rule is not None and self._rule.unset == "arrival":
            return None
        if not EARLIEST <= t <= arrival + AHEAD:
            raise Rejected(clock_problem(t, arrival) or "")
        return t
