"""Frames cut out of the bytes of a serial line, which begins anywhere and may lose bytes. Pure.

A format defines by `framer()` how its frames are cut; it checks by itself whether a frame is valid.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Framer(Protocol):
    """Cuts frames; keeps the rest until more bytes come."""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete with these bytes."""
        ...


class Marked:
    """Frames from a start mark to an end mark and `after` further bytes. What is longer than `largest` is dropped."""

    def __init__(self, start: bytes, end: bytes, after: int, largest: int) -> None:
        self._start, self._end, self._after, self._largest = start, end, after, largest
        self._held = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete with these bytes."""
        held, found = self._held + data, list[bytes]()
        while True:
            start = held.find(self._start)
            if start < 0:
                self._held = held[-len(self._start) + 1 :] if len(self._start) > 1 else b""
                return found
            held = held[start:]
            end = held.find(self._end, len(self._start))
            again = held.find(self._start, len(self._start))
            if 0 < again and (end < 0 or again < end):
                held = held[again:]  # the end of a frame was lost
            elif end < 0 or len(held) < end + len(self._end) + self._after:
                self._held = held if len(held) <= self._largest else b""
                return found
            else:
                size = end + len(self._end) + self._after
                found.append(held[:size])
                held = held[size:]


class Sized:
    """Frames of a fixed size that begin with a mark. `sound`: whether bytes are a frame; if not, a byte is passed."""

    def __init__(self, start: bytes, size: int, sound: Callable[[bytes], bool]) -> None:
        self._start, self._size, self._sound = start, size, sound
        self._held = b""

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete with these bytes."""
        held, found = self._held + data, list[bytes]()
        while (start := held.find(self._start)) >= 0 and len(held) >= start + self._size:
            frame = held[start : start + self._size]
            if self._sound(frame):
                found.append(frame)
                held = held[start + self._size :]
            else:
                held = held[start + 1 :]
        self._held = held[start:] if start >= 0 else held[len(held) - len(self._start) + 1 :]
        return found


class Silent:
    """Frames between which the line is silent: bytes belong together until `feed` is called with none."""

    def __init__(self, largest: int) -> None:
        self._held, self._largest = b"", largest

    def feed(self, data: bytes) -> list[bytes]:
        """The frame that ended, where no bytes came."""
        if data:
            self._held = (self._held + data)[-self._largest :]
            return []
        frame, self._held = self._held, b""
        return [frame] if frame else []
