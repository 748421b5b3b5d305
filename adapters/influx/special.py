"""The field `special` of a row of partials: which other fields are left out, and what they are.

Each field costs InfluxDB 2 to 3 us of processor time, so what follows from the others is not written: `first_t` and
`last_t` of a window, of one or two readings `first` and `sumsq`. Nor is what InfluxDB cannot store. Everything that
dashboards read is always written, and so is `special`, which alone says whether a field counts: a rewrite merges
fields, so what an earlier write left there is still found. Bits, from the lowest:

     0-21  first_t - start + 1       22-42  last_t - first_t + 1      0: the field counts
    43-56  two for each of FLOATS: 1 NaN, 2 infinity, 3 -infinity
    57-58  first: 1 last, 2 min, 3 max      59-60  sumsq: 1 last squared, 2 min squared + max squared
       61  set; not in rows of an earlier version, which have the two for each of FLOATS at 0-13

A field is left out only where the reader gets the same bits back.
"""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np

from adapters.store import Level
from telemetry.partials import Partials, is_whole
from telemetry.series import BoolArray, FloatArray, IntArray

INTS = tuple(f.name for f in fields(Partials) if is_whole(f.name) and f.name not in ("series", "start"))
FLOATS = tuple(f.name for f in fields(Partials) if not is_whole(f.name))
OPTIONAL = ("first_t", "last_t")  # of INTS, those that a row may lack
NOT_FINITE = (math.nan, math.inf, -math.inf)  # by code - 1
Columns = dict[str, np.ndarray[Any, Any]]
_SPAN, _FLOATS, _FIRST, _SUMSQ, _FORM = 22, 43, 57, 59, 61  # the lowest bit of each
_BY_CODE = np.array([0.0, *NOT_FINITE])
_FIRSTS = ("last", "min", "max")  # by code - 1
_LEFT_OUT = (("first_t", 0), ("last_t", 1), ("first", 2), ("sumsq", 3))  # and the bit in `Marks.left_out`


class Marks(NamedTuple):
    """Of each row: the value of `special`, and its left-out fields as bits, those of FLOATS behind `_LEFT_OUT`."""

    special: IntArray
    left_out: IntArray


def marks(level: Level, partials: Partials) -> Marks:
    """What is left out of each row of this level."""
    codes, not_finite = _not_finite(partials)
    since, span = partials.first_t - partials.start + 1, partials.last_t - partials.first_t + 1
    since *= (since > 0) & (since < 1 << _SPAN)
    span *= (span > 0) & (span < 1 << _FLOATS - _SPAN) if level == "window" else 0
    first, sumsq = _first(partials), _sumsq(partials)
    special = since | span << _SPAN | codes << _FLOATS | first << _FIRST | sumsq << _SUMSQ | 1 << _FORM
    left_out = (since > 0) | (span > 0) << 1 | (first > 0) << 2 | (sumsq > 0) << 3 | not_finite << len(_LEFT_OUT)
    return Marks(special, left_out)


def names_of(left_out: int) -> set[str]:
    """The fields that one value of `Marks.left_out` names."""
    named = {name for name, bit in _LEFT_OUT if left_out >> bit & 1}
    return named | {name for i, name in enumerate(FLOATS, start=len(_LEFT_OUT)) if left_out >> i & 1}


def _not_finite(partials: Partials) -> tuple[IntArray, IntArray]:
    """Codes of the floats InfluxDB cannot store, two bits each; and a bit for each of them."""
    codes, bits = np.zeros((2, len(partials)), dtype=np.int64)
    for i, name in enumerate(FLOATS):
        column = getattr(partials, name)
        wrong = ~np.isfinite(column)
        if wrong.any():
            code = np.isnan(column) + 2 * np.isposinf(column) + 3 * np.isneginf(column)
            codes |= code.astype(np.int64) << 2 * i
            bits |= wrong.astype(np.int64) << i
    return codes, bits


def _first(partials: Partials) -> IntArray:
    """Which other field has the bits of `first`, by its code."""
    codes, bits = np.zeros(len(partials), dtype=np.int64), partials.first.view(np.int64)
    for code, name in reversed(tuple(enumerate(_FIRSTS, start=1))):
        codes[bits == getattr(partials, name).view(np.int64)] = code
    return codes


def _squares(last: FloatArray, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """What `sumsq` is of one and of two readings. A sum of two has the same bits in either order."""
    with np.errstate(over="ignore", invalid="ignore"):
        return last * last, low * low + high * high


def _sumsq(partials: Partials) -> IntArray:
    """How `sumsq` follows from other fields, by its code."""
    one, two = _squares(partials.last, partials.min, partials.max)
    bits = partials.sumsq.view(np.int64)
    return np.where(bits == one.view(np.int64), 1, 2 * (bits == two.view(np.int64)))


def restore(special: IntArray, start: IntArray, read: Columns, absent: dict[str, BoolArray]) -> BoolArray:
    """Put what was left out into columns of rows; whether each row is whole.

    `read`: the fields as they were read, floats NaN where they are not there; `absent`: of OPTIONAL, where. InfluxDB 1
    returns a new point field by field while it is written: one that lacks a field that counts is not stored yet.
    """
    is_new = special >> _FORM == 1
    codes, special = np.where(is_new, special >> _FLOATS, special), np.where(is_new, special, 0)
    first, sumsq = special >> _FIRST & 3, special >> _SUMSQ & 3
    since, span = special & (1 << _SPAN) - 1, special >> _SPAN & (1 << _FLOATS - _SPAN) - 1
    given = {"first": first, "sumsq": sumsq, "first_t": since, "last_t": span}  # 0 where the field counts
    whole = np.ones(len(special), dtype=np.bool_)
    for name, rows in absent.items():
        whole &= (given[name] > 0) | ~rows
    for i, name in enumerate(FLOATS):
        column, code = read[name], codes >> 2 * i & 3
        if (lacking := np.isnan(column)).any():
            whole &= (code | given.get(name, 0) > 0) | ~lacking
        if code.any():
            column[:] = np.where(code == 0, column, _BY_CODE[code])
    np.copyto(read["first_t"], start + since - 1, where=since > 0)
    np.copyto(read["last_t"], read["first_t"] + span - 1, where=span > 0)
    for number, name in enumerate(_FIRSTS, start=1):
        np.copyto(read["first"], read[name], where=first == number)
    if sumsq.any():
        for number, squares in enumerate(_squares(read["last"], read["min"], read["max"]), start=1):
            np.copyto(read["sumsq"], squares, where=sumsq == number)
    return whole
