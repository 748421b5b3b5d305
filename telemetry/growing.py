"""A column of whole numbers that grows at its end, in the few bytes that its numbers need. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

_Numbers = np.ndarray[tuple[int], np.dtype[Any]]


class Growing:
    """`kind`: the type of the numbers; they must fit in it. An `array` cannot grow while NumPy reads it in place."""

    def __init__(self, kind: type[np.signedinteger[Any]]) -> None:
        self._numbers: _Numbers = np.empty(16, dtype=kind)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, place: int) -> int:
        """The number at a place from 0 on that is there."""
        number: int = self._numbers.item(place)
        return number

    @property
    def all(self) -> _Numbers:
        """All numbers, not copied."""
        return self._numbers[: self._length]

    def append(self, number: int) -> None:
        """One more."""
        if self._length == len(self._numbers):
            self._make_room(self._length + 1)
        self._numbers[self._length] = number
        self._length += 1

    def fill(self, length: int, number: int) -> None:
        """Append one number until there are so many."""
        if length > len(self._numbers):
            self._make_room(length)
        if length > self._length:
            self._numbers[self._length : length] = number
            self._length = length

    def __setitem__(self, place: int, number: int) -> None:
        self.all[place] = number

    def _make_room(self, length: int) -> None:
        numbers = np.empty(max(length, self._length + self._length // 4), dtype=self._numbers.dtype)
        numbers[: self._length] = self.all
        self._numbers = numbers
