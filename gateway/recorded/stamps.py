"""Times of a recorded file, each different text read once. Pure.

Local times of the hour that an autumn night has twice follow the order of the file: a time that does not lie after
the one before it, of the same device and quantity, is of the second hour.
"""

from __future__ import annotations

from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from adapters.files.table import Coded, Column
from telemetry.errors import Rejected
from telemetry.periods import iso
from telemetry.series import BoolArray
from telemetry.stamps import read_stamp
from telemetry.windows import HOUR

_LATER = 1 << 60  # a time near which the second of two hours is meant


class Times(NamedTuple):
    """RFC 3339 in UTC for each row, and why those that could not be read could not, by row."""

    iso: Coded
    wrong: dict[int, str]


class Stamps:
    """Reads times. `zone`: of times that name none. `ends_s`: seconds by which a time lies after what it stands for."""

    def __init__(self, zone: ZoneInfo | None, form: str | None, ends_s: int) -> None:
        self._zone, self._form, self._ends = zone, form, ends_s * 1000
        self._last: dict[tuple[str, str], int] = {}

    def read(self, texts: Coded, keep: BoolArray, of: tuple[Coded, Column | None]) -> Times:
        """The times of rows. `keep`: rows that are used. `of`: device and name of each row."""
        found: list[str] = []
        wrong: dict[int, str] = {}
        twice: dict[int, tuple[int, int]] = {}
        for place, text in enumerate(texts.values):
            try:
                first, second = self._both(text)
                found.append(iso(first - self._ends))
            except (Rejected, ValueError, OverflowError) as reason:
                known = isinstance(reason, Rejected)
                wrong[place] = str(reason) if known else f"time '{text[:40]}' lies outside of all calendars"
                found.append("")
                continue
            if second != first:
                twice[place] = first - self._ends, second - self._ends
        codes = self._second(texts, found, twice, keep, of) if twice else texts.codes
        rows = np.isin(texts.codes, list(wrong)).nonzero()[0].tolist() if wrong else []
        return Times(Coded(found, codes), {row: wrong[int(texts.codes[row])] for row in rows})

    def _both(self, text: str) -> tuple[int, int]:
        start = text.partition(" - ")[0]  # of an interval, the start
        first = read_stamp(start, self._zone, None, self._form)
        return first, read_stamp(start, self._zone, _LATER, self._form) if self._zone is not None else first

    def _second(
        self,
        texts: Coded,
        found: list[str],
        twice: dict[int, tuple[int, int]],
        keep: BoolArray,
        of: tuple[Coded, Column | None],
    ) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """Codes of the rows, those of the second hour with one of their own."""
        codes, later = texts.codes.copy(), dict[int, int]()
        for place, (_, second) in twice.items():
            later[place] = len(found)
            found.append(iso(second))
        devices, names = of
        for row in np.flatnonzero(keep).tolist():
            place = int(texts.codes[row])
            who = devices[row], names[row] if names is not None else ""
            if place not in twice:
                self._last.pop(who, None)
                continue
            first, second = twice[place]
            before = self._last.get(who)
            is_second = before is not None and first <= before < second + HOUR
            self._last[who] = second if is_second else first
            codes[row] = later[place] if is_second else place
        return codes
