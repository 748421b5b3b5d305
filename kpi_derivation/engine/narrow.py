"""Partials in few bytes: the same values bit for bit, each column in the narrowest form that holds them. Pure.

What a device reports has few decimals, so most values are whole numbers of them: the last of a window is stored as such
a number, the others as how far they are from it, and what is calculated by how its rounding differs.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kpi_derivation.engine.near import Ints, Near, NearTime, size, whole
from telemetry.partials import Partials
from telemetry.series import BoolArray, FloatArray, IntArray
from telemetry.windows import HOUR, MINUTE

_UNITS = (HOUR, MINUTE, 1)  # ms that starts are counted in
_DECIMALS = range(5)
_SAMPLE = 200  # values of which the decimals are counted
_LARGEST = float(1 << 60)
_NEVER = 1 << 60
_FEW = 500  # rows that are not worth the work


class Plain(NamedTuple):
    """Few partials sorted by (series, start), as they are."""

    partials: Partials

    def __len__(self) -> int:
        return len(self.partials)

    @property
    def first(self) -> int:
        """The first start."""
        return int(self.partials.start.min(initial=_NEVER))

    @property
    def last(self) -> int:
        """The last start."""
        return int(self.partials.start.max(initial=-_NEVER))

    @property
    def bytes(self) -> int:
        """Bytes of all columns."""
        return sum(getattr(self.partials, name).nbytes for name in Partials.__slots__)

    def rows(self, start: int, end: int, wanted: BoolArray | None) -> IntArray:
        """See Narrow."""
        p = self.partials
        mine = True if wanted is None else wanted[np.minimum(p.series, len(wanted) - 1)]
        return np.flatnonzero(mine & (p.start >= start) & (p.start < end))

    def rows_of_few(self, start: int, end: int, series: IntArray) -> IntArray:
        """See Narrow."""
        p = self.partials
        return np.flatnonzero(np.isin(p.series, series) & (p.start >= start) & (p.start < end))

    def take(self, rows: IntArray) -> Partials:
        """See Narrow."""
        return self.partials.take(rows)

    def all(self) -> Partials:
        """See Narrow."""
        return self.partials


class Narrow:
    """Partials sorted by (series, start)."""

    def __init__(self, partials: Partials) -> None:
        p, has = partials, partials.n > 0
        self._origin = int(p.start.min()) if len(p) else 0
        self._series, after = _Series(p.series), p.start - self._origin
        self.first, self.last = self._origin, int(p.start.max(initial=-_NEVER))
        self._unit = next(unit for unit in _UNITS if not (after % unit).any())
        self._start = whole(after // self._unit)
        self._n, self._flagged, self._lag = whole(p.n), whole(p.flagged), NearTime(p.lag)
        # A window without a value has times of 0: these are stored as they are.
        self._first_t = NearTime(np.where(has, p.first_t - p.start, p.first_t))
        self._last_t = NearTime(np.where(has, p.last_t - p.start, p.last_t))
        self._values: _Values | _Alone = _Alone(p.sum) if is_alone(p) else _Values(p)

    def __len__(self) -> int:
        return len(self._start)

    @property
    def bytes(self) -> int:
        """Bytes of all columns."""
        times = sum(column.bytes for column in (self._lag, self._first_t, self._last_t))
        whole_numbers = sum(size(column) for column in (self._start, self._n, self._flagged))
        return self._series.bytes + times + whole_numbers + self._values.bytes

    def rows(self, start: int, end: int, wanted: BoolArray | None) -> IntArray:
        """The rows with start in [start, end). `wanted`: by number of the series; those beyond its end are not."""
        low, high = (-((self._origin - t) // self._unit) for t in (start, end))
        part = slice(None) if wanted is None else self._series.span(wanted)
        after = self._start[part]
        inside = (after >= low) & (after < high)
        found: IntArray = np.flatnonzero(inside if wanted is None else inside & self._series.among(wanted, part))
        return found + part.start if part.start else found

    def rows_of_few(self, start: int, end: int, series: IntArray) -> IntArray:
        """The same of a few series, different and ascending, which are looked up one by one."""
        low, high = (-((self._origin - t) // self._unit) for t in (start, end))
        bounds = self._series.bounds(series)
        mine: IntArray = np.concatenate([np.empty(0, dtype=np.int64), *(np.arange(a, b) for a, b in bounds)])
        after = self._start[mine]
        found: IntArray = mine[(after >= low) & (after < high)]
        return found

    def take(self, rows: IntArray) -> Partials:
        """The given rows, ascending."""
        # Widened first: NumPy 1 makes an unsigned column and a large number uint64, with a signed one float.
        start = self._start[rows].astype(np.int64) * self._unit + self._origin
        n = self._n[rows].astype(np.int64)
        base = np.where(n > 0, start, 0)
        values = self._values.take(rows, n)
        return Partials(
            self._series.take(rows), start, n, values.sum, values.min, values.max, values.sumsq,
            base + self._first_t.take(rows), values.first, base + self._last_t.take(rows), values.last, values.increase,
            self._flagged[rows].astype(np.int64), self._lag.take(rows),
        )  # fmt: skip

    def all(self) -> Partials:
        """All rows."""
        return self.take(np.arange(len(self)))


def packed(partials: Partials) -> Narrow | Plain:
    """The partials, sorted by (series, start), in the form that suits their number."""
    return Plain(partials) if len(partials) < _FEW else Narrow(partials)


class _Series:
    """A sorted column of series: as it is, or each number once with the row in which it begins."""

    def __init__(self, series: IntArray) -> None:
        begins = np.flatnonzero(np.diff(series, prepend=-1))
        self._once = 2 * len(begins) < len(series)
        self._names = whole(series[begins] if self._once else series)
        self._begins = whole(np.append(begins, len(series)) if self._once else begins[:0])

    @property
    def bytes(self) -> int:
        """Bytes of the column."""
        return size(self._names) + size(self._begins)

    def span(self, wanted: BoolArray) -> slice:
        """The rows from the first to the last wanted series; `wanted`: by number."""
        a, b = self._names_between(int(wanted.argmax()), len(wanted) - 1)
        return slice(int(self._begins[a]), int(self._begins[b])) if self._once else slice(a, b)

    def _names_between(self, first: int, last: int) -> tuple[int, int]:
        """Which of the names are first..last."""
        names = self._names
        if not len(names) or first > int(names[-1]) or last < int(names[0]):
            return 0, 0
        first, last = max(first, int(names[0])), min(last, int(names[-1]))
        kind = names.dtype.type  # a number of another type would have the column copied
        return int(np.searchsorted(names, kind(first))), int(np.searchsorted(names, kind(last), "right"))

    def among(self, wanted: BoolArray, part: slice) -> BoolArray:
        """Of each row of a span of whole series whether it is of a wanted one; `wanted`: by number, those beyond its
        end are not.
        """
        a, b = (
            np.searchsorted(self._begins, [part.start, part.stop]).tolist() if self._once else (part.start, part.stop)
        )
        last, names = len(wanted) - 1, self._names[a:b]
        mine = wanted[names if not len(names) or int(names[-1]) <= last else np.minimum(names, last)]
        return np.repeat(mine, self._counts(a, b)) if self._once else mine

    def bounds(self, series: IntArray) -> list[tuple[int, int]]:
        """First row of each of these series, and the row behind its last."""
        names = self._names  # of another type the column would be copied
        known = series[series <= int(names[-1])].astype(names.dtype) if len(names) else series[:0]
        first, end = np.searchsorted(names, known), np.searchsorted(names, known, "right")
        if self._once:
            first, end = self._begins[first], self._begins[end]
        return list(zip(first.tolist(), end.tolist(), strict=True))

    def take(self, rows: IntArray) -> IntArray:
        """The series of these rows, ascending."""
        if self._once and len(rows):
            a, b = np.searchsorted(self._begins, [rows[0], rows[-1]], "right").tolist()
            place = np.repeat(np.arange(a - 1, b, dtype=np.int32), self._counts(a - 1, b))
            found: IntArray = self._names[place[rows - int(self._begins[a - 1])]].astype(np.int64)
            return found
        return self._names[rows].astype(np.int64)

    def _counts(self, a: int, b: int) -> IntArray:
        """How many rows the names a..b - 1 have."""
        begins: IntArray = self._begins[a : b + 1].astype(np.int64)
        return begins[1:] - begins[:-1]


class _Found(NamedTuple):
    """The columns of values."""

    sum: FloatArray
    min: FloatArray
    max: FloatArray
    sumsq: FloatArray
    first: FloatArray
    last: FloatArray
    increase: FloatArray


def is_alone(p: Partials) -> bool:
    """Whether of each row only the sum is known, as of the energy of a quarter, which is its lowest and highest too."""
    total, nothing = p.sum.view(np.int64), np.float64(np.nan).view(np.int64)
    same = (c.view(np.int64) == total for c in (p.min, p.max))
    empty = (c.view(np.int64) == nothing for c in (p.first, p.last, p.increase))
    with np.errstate(all="ignore"):
        squares = (p.sum * p.sum).view(np.int64) == p.sumsq.view(np.int64)
    return bool(squares.all()) and all(bool(c.all()) for c in (*same, *empty))


class _Alone:
    """The columns of values of rows that have a sum alone: `_sum`, or `_whole` numbers of 1 / `_scale`."""

    def __init__(self, total: FloatArray) -> None:
        self._scale, self._sum = _scale(total), total.copy()
        self._whole: Ints = np.empty(0, dtype=np.int64)
        if self._scale is not None:
            self._whole = whole(_times(total, self._scale))
            self._near = Near(total, self._whole / self._scale)
            self._sum = np.empty(0)

    @property
    def bytes(self) -> int:
        """Bytes of all columns."""
        return self._sum.nbytes if self._scale is None else size(self._whole) + self._near.bytes

    def take(self, rows: IntArray, _n: IntArray) -> _Found:
        """The given rows."""
        total = self._sum[rows] if self._scale is None else self._near.take(rows, self._whole[rows] / self._scale)
        first, last, increase = (np.full(len(rows), np.nan) for _ in range(3))
        with np.errstate(all="ignore"):
            return _Found(total, total.copy(), total.copy(), total * total, first, last, increase)


class _Values:
    """The columns of values, each near what is expected from those before it.

    Where most values have few decimals, `_whole` holds for each column a whole number of 1 / `_scale`: of last its own,
    of the others the difference from one that is known already. Else `_last` holds the last value as it is.
    """

    def __init__(self, p: Partials) -> None:
        scale = _scale(p.last)
        self._scale, self._whole = scale or 1.0, dict[str, Ints]()
        self._last: FloatArray | None = p.last.copy() if scale is None else None
        if scale is not None:
            self._count(p, scale)
        self._counter = np.packbits(~np.isnan(p.increase))
        self._near: dict[str, Near] = {}
        with np.errstate(all="ignore"):
            self._build(np.arange(len(p)), p.n, p)

    def _count(self, p: Partials, scale: float) -> None:
        last, first, low, high, total = (_times(c, scale) for c in (p.last, p.first, p.min, p.max, p.sum))
        squares = p.n * _times(p.sumsq, scale * scale) - total * total
        self._whole = {
            "last": whole(last), "first": whole(last - first), "min": whole(first - low), "max": whole(high - last),
            "sum": whole(total - p.n * last), "sumsq": whole(squares),
        }  # fmt: skip

    @property
    def bytes(self) -> int:
        """Bytes of all columns."""
        parts = [size(column) for column in self._whole.values()] + [near.bytes for near in self._near.values()]
        return sum(parts) + self._counter.nbytes + (0 if self._last is None else self._last.nbytes)

    def take(self, rows: IntArray, n: IntArray) -> _Found:
        """The given rows; `n`: their numbers of readings."""
        with np.errstate(all="ignore"):
            return self._build(rows, n, None)

    def _build(self, rows: IntArray, n: IntArray, given: Partials | None) -> _Found:
        """The columns, from what is expected of each; those that are `given` are compared with it and noted."""

        def column(name: str, expected: FloatArray) -> FloatArray:
            if given is None:
                return self._near[name].take(rows, expected)
            values: FloatArray = getattr(given, name)
            self._near[name] = Near(values, expected)
            return values

        many = np.maximum(n, 1)
        if self._last is not None:
            last = column("last", self._last[rows])
            first = column("first", last)
            low, high = column("min", first), column("max", last)
            total = column("sum", last * n)
            squares = column("sumsq", total * total / many)
        else:
            scale = self._scale
            number = {name: values[rows].astype(np.int64) for name, values in self._whole.items()}
            k_first, k_sum = number["last"] - number["first"], number["sum"] + n * number["last"]
            last, first = column("last", number["last"] / scale), column("first", k_first / scale)
            low, high = (
                column("min", (k_first - number["min"]) / scale),
                column("max", (number["last"] + number["max"]) / scale),
            )
            total = column("sum", k_sum / scale)
            squares = column("sumsq", (number["sumsq"] + k_sum * k_sum) / many / (scale * scale))
        counter = self._is_counter(rows)
        increase = column("increase", np.where(counter, last - first, np.nan))
        return _Found(total, low, high, squares, first, last, increase)

    def _is_counter(self, rows: IntArray) -> BoolArray:
        """Of these rows, ascending."""
        if not len(rows):
            return np.empty(0, dtype=np.bool_)
        first = int(rows[0]) >> 3
        bits = np.unpackbits(self._counter[first : (int(rows[-1]) >> 3) + 1])
        return bits[rows - (first << 3)].astype(np.bool_)


def _times(values: FloatArray, scale: float) -> IntArray:
    """The nearest whole numbers of 1 / scale; 0 for what is too large."""
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = np.rint(values * scale)
        return np.where(np.abs(scaled) < _LARGEST, scaled, 0.0).astype(np.int64)


def _scale(values: FloatArray) -> float | None:
    """10 to the number of decimals that most of these values have; None where they have too many."""
    if not len(values):
        return None
    some = values[:: max(len(values) // _SAMPLE, 1)]
    for decimals in _DECIMALS:
        scale = 10.0**decimals
        if np.mean(_times(some, scale) / scale == some) > 0.9:
            return scale
    return None
