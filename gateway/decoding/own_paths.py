"""The paths that a source of the configuration writes itself: whether they lead to anything in what is sent. Pure.

A device of a family often leaves values out, and its template is tested. A path that an operator wrote is not: where it
leads to nothing, that is said once, with the first message of which nothing is read, else after some messages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gateway.decoding.paths import Find, compiled

MESSAGES = 20  # after which a path that led to nothing is said

Path = tuple[str, list[Find]]  # as the source writes it, and what it finds; of a time, alternatives


class OwnPaths:
    """Those that have led to nothing so far. `values`, `times`: as the source writes them."""

    def __init__(self, values: Sequence[str], times: Sequence[str] = ()) -> None:
        self._left: list[Path] = [(path, [compiled(path)]) for path in values]
        self._values = frozenset(values)
        if times:
            self._left.append((" or ".join(times), [compiled(path) for path in times]))
        self._count = 0

    @property
    def unclear(self) -> bool:
        """Whether messages are still to be looked at."""
        return bool(self._left)

    def look(self, records: Sequence[Any], nothing_read: bool) -> list[str]:
        """Sentences about paths that lead to nothing. `nothing_read`: the message gave no reading."""
        self._left = [(path, finds) for path, finds in self._left if not _found(finds, records)]
        self._count += 1
        values = [path for path, _ in self._left if path in self._values]
        if not self._left or not ((nothing_read and values) or self._count >= MESSAGES):
            return []
        messages = "this message" if self._count == 1 else f"{self._count} messages"
        said = [_value(values, messages)] if values else []
        said += [_time(path, messages) for path, _ in self._left if path not in self._values]
        self._left = []
        return said


def _found(finds: Sequence[Callable[[Any], Any]], records: Sequence[Any]) -> bool:
    return any(find(record) not in (None, []) for find in finds for record in records)


def _value(paths: Sequence[str], messages: str) -> str:
    quoted = ", ".join(f"'{path[:60]}'" for path in paths)[:300]
    return f"sample: no value is found in {messages} at {quoted}, a path of this source; correct it under `values`"


def _time(path: str, messages: str) -> str:
    return (
        f"sample: no time is found in {messages} at '{path[:60]}', the path of this source: its readings are dated by"
        " their arrival; correct it under `time`"
    )
