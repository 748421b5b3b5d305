"""Sets of whole numbers as sorted ranges that do not touch; as text '0-17,20,30-45'."""

from __future__ import annotations

from bisect import bisect_right


class Ranges:
    """A set of numbers. Consecutive numbers take the same space however many there are."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, text: str = "") -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for part in text.split(",") if text else ():
            first, _, last = part.partition("-")
            self._firsts.append(int(first))
            self._lasts.append(int(last or first))

    def __str__(self) -> str:
        if len(self._firsts) == 1 and self._firsts[0] != self._lasts[0]:  # the usual set, written with every batch
            return f"{self._firsts[0]}-{self._lasts[0]}"
        return ",".join([str(a) if a == b else f"{a}-{b}" for a, b in zip(self._firsts, self._lasts, strict=True)])

    def __len__(self) -> int:
        """How many ranges there are."""
        return len(self._firsts)

    @property
    def count(self) -> int:
        """How many numbers are in the set."""
        return sum(self._lasts) - sum(self._firsts) + len(self._firsts)

    @property
    def end(self) -> int:
        """The largest number; -1 where there is none."""
        return self._lasts[-1] if self._lasts else -1

    def spans(self) -> list[tuple[int, int]]:
        """The ranges as (first, last)."""
        return list(zip(self._firsts, self._lasts, strict=True))

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._firsts, number)
        return place > 0 and number <= self._lasts[place - 1]

    def extend(self, first: int, count: int) -> None:
        """Add `count` numbers from `first` on, which is larger than all numbers of the set."""
        if self._lasts and self._lasts[-1] == first - 1:
            self._lasts[-1] += count
        else:
            self._firsts.append(first)
            self._lasts.append(first + count - 1)

    def add(self, number: int) -> bool:
        """Add a number; return whether it was new."""
        if self._lasts and number == self._lasts[-1] + 1:
            self._lasts[-1] = number
            return True
        place = bisect_right(self._firsts, number)
        if place and number <= self._lasts[place - 1]:
            return False
        joins_before = place > 0 and self._lasts[place - 1] == number - 1
        joins_after = place < len(self._firsts) and self._firsts[place] == number + 1
        if joins_before and joins_after:
            self._lasts[place - 1] = self._lasts.pop(place)
            del self._firsts[place]
        elif joins_before:
            self._lasts[place - 1] = number
        elif joins_after:
            self._firsts[place] = number
        else:
            self._firsts.insert(place, number)
            self._lasts.insert(place, number)
        return True

    def add_all(self, other: Ranges) -> None:
        """Add all numbers of `other`."""
        spans: list[tuple[int, int]] = []
        for first, last in sorted(self.spans() + other.spans()):
            if spans and first <= spans[-1][1] + 1:
                spans[-1] = (spans[-1][0], max(spans[-1][1], last))
            else:
                spans.append((first, last))
        self._firsts, self._lasts = [a for a, _ in spans], [b for _, b in spans]

    def gaps(self, start: int = 0) -> list[tuple[int, int]]:
        """The gaps: ranges of numbers from `start` to the largest that are not in the set."""
        befores = [start - 1, *self._lasts[:-1]]
        return [(a + 1, b - 1) for a, b in zip(befores, self._firsts, strict=False) if b > a + 1]

    def fill_first_gap(self, start: int = 0) -> int:
        """Add the numbers of the lowest gap; return how many there were."""
        if self._firsts and self._firsts[0] > start:
            size, self._firsts[0] = self._firsts[0] - start, start
            return size
        if len(self._firsts) < 2:
            return 0
        size = self._firsts[1] - self._lasts[0] - 1
        del self._firsts[1], self._lasts[0]
        return size

    def drop_first(self) -> None:
        """Remove the lowest range."""
        del self._firsts[0], self._lasts[0]
