"""Window partials on the wire: columnar JSON, one array a field, with a schema version.

Readable with `mosquitto_sub -t 'cv/1/+/+/windows' | jq`. Floats are written in their shortest exact form, NaN as null.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import msgspec
import numpy as np

from telemetry.errors import Rejected
from telemetry.partials import INT_FIELDS, Partials, column_type
from telemetry.quantities import QUANTITIES
from telemetry.series import Series, SeriesTable
from telemetry.topics import valid_id
from telemetry.windows import HOUR

VERSION = 1
_COLUMNS = tuple(f.name for f in fields(Partials) if f.name != "series")
_EARLIEST, _LATEST = 0, 4102444800000  # 1970 to 2100: windows outside are invalid
_LARGEST = 2**53


class WindowsMessage(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """The message: `series` lists [device, quantity]; `at` holds the index of each row's series.

    `message`: the gateway's number of it, returned in the receipt once the windows are stored; 0: none.
    """

    v: int
    city: str
    width: int
    series: list[tuple[str, str]]
    at: list[int]
    start: list[int]
    n: list[int]
    sum: list[float | None]
    min: list[float | None]
    max: list[float | None]
    sumsq: list[float | None]
    first_t: list[int]
    first: list[float | None]
    last_t: list[int]
    last: list[float | None]
    increase: list[float | None]
    flagged: list[int]
    lag: list[int]
    message: int = 0


class _Numbered(msgspec.Struct):
    message: int = 0


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(WindowsMessage)
_number_decoder = msgspec.json.Decoder(_Numbered)


def encode(city: str, width: int, partials: Partials, table: SeriesTable, message: int = 0) -> bytes:
    """The message of these partials; all of one city. `message`: its number, see WindowsMessage."""
    ids, at = np.unique(partials.series, return_inverse=True)
    names = [(table[int(i)].device, table[int(i)].quantity) for i in ids]
    columns = {name: getattr(partials, name).tolist() for name in _COLUMNS}
    return _encoder.encode(WindowsMessage(VERSION, city, width, names, at.tolist(), **columns, message=message))


def decode(payload: bytes, table: SeriesTable, apart: SeriesTable | None = None) -> tuple[str, int, Partials]:
    """City, window width in ms and partials (series ids by `table`). Raises Rejected with the reason.

    `apart`: an empty table that the ids are of where the message has a series that `table` has not: the caller may not
    accept it, and a table never gets smaller.
    """
    try:
        message = _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Rejected(f"not a windows message: {error}") from error
    columns = _checked(message)
    names = [Series(message.city, d, q) for d, q in message.series]
    numbers = [table.find(name) for name in names]
    if None in numbers:
        numbers = [(table if apart is None else apart).id_of(name) for name in names]
    ids = np.array(numbers, dtype=np.int64)
    at = np.array(message.at, dtype=np.int64)
    partials = Partials(ids[at] if len(at) else at, *(columns[name] for name in _COLUMNS))
    return message.city, message.width, partials


def moved(partials: Partials, source: SeriesTable, table: SeriesTable) -> Partials:
    """The same partials with ids by `table`, where they are by `source`."""
    if source is table:
        return partials
    ids, at = np.unique(partials.series, return_inverse=True)
    fresh = np.array([table.id_of(source[number]) for number in ids.tolist()], dtype=np.int64)
    return replace(partials, series=fresh[at])


def number(payload: bytes) -> int:
    """The number of a windows message, also of an otherwise invalid one; 0 where there is none."""
    try:
        found = _number_decoder.decode(payload).message
        return found if 0 < found < _LARGEST else 0
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0


def _checked(m: WindowsMessage) -> dict[str, Any]:
    """The columns by name. Rejects what would damage the store."""
    if m.v != VERSION:
        raise Rejected(f"windows message of version {m.v}; this program supports version {VERSION}")
    if not valid_id(m.city) or m.width < 1 or HOUR % m.width:
        raise Rejected("windows message with an invalid city or window width")
    if any(not valid_id(d) or q not in QUANTITIES for d, q in m.series):
        raise Rejected("windows message with an invalid device or an unknown quantity")
    rows = len(m.at)
    if any(len(getattr(m, name)) != rows for name in _COLUMNS):
        raise Rejected("windows message with columns of unequal length")
    if rows and not (0 <= min(m.at) and max(m.at) < len(m.series)):
        raise Rejected("windows message that points to a series it does not list")
    if rows and not (min(m.start) >= _EARLIEST and max(m.start) < _LATEST and min(m.n) >= 0):
        raise Rejected("windows message with a window outside 1970 to 2100 or a negative count")
    if None in m.sum or None in m.sumsq:
        raise Rejected("windows message with values but without sums in a row")
    try:
        columns = {name: np.array(getattr(m, name), dtype=column_type(name)) for name in _COLUMNS}
        whole = [columns[name] for name in INT_FIELDS - {"series"}]
        too_large = any(((c <= -_LARGEST) | (c >= _LARGEST)).any() for c in whole)
    except OverflowError:
        too_large = True
    if too_large:
        raise Rejected("windows message with a number too large")
    if (columns["start"] % m.width).any():
        raise Rejected("windows message with a window start that is not a multiple of its width")
    return columns


Ranges = Mapping[Series, tuple[float, float]]


def check_ranges(p: Partials, table: SeriesTable, own: Ranges) -> None:
    """Raise Rejected for values that no accepted reading can have: folding them would spoil sums for years.

    `own`: the range of a series where it is not its quantity's.

    Every accepted reading lies in its quantity's range, so do their smallest and largest; a sum is at most n times
    that, and so is an increase, for a step is at most the register's range.
    """
    if not len(p):
        return
    ids, at = np.unique(p.series, return_inverse=True)
    names = [table[number] for number in ids.tolist()]
    usual = [(QUANTITIES[name.quantity].low, QUANTITIES[name.quantity].high) for name in names]
    ranges = np.array([own.get(name, limits) for name, limits in zip(names, usual, strict=True)])
    low, high = ranges[at].T
    slack = 1 + 1e-9
    with np.errstate(over="ignore", invalid="ignore"):
        largest = np.maximum(np.abs(low), np.abs(high))
        wrong = (p.min < low) | (p.max > high) | (p.min > p.max)
        wrong |= (p.first < low) | (p.first > high) | (p.last < low) | (p.last > high)
        wrong |= np.abs(p.sum) > p.n * largest * slack
        wrong |= (p.sumsq < 0) | (p.sumsq > p.n * largest**2 * slack)
        wrong |= (p.increase < 0) | (p.increase > p.n * largest * slack)
        wrong |= ~np.isfinite(p.sum) | ~np.isfinite(p.sumsq)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise Rejected(f"windows message with values outside the range of '{names[int(at[row])].quantity}'")
