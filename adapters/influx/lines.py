"""Line protocol of partials, KPI values and cities.

A rewrite in InfluxDB merges fields, so an omitted field would keep its old value. A field that is always written
therefore marks what is omitted: `special` for partials, `valued` and `replaced` for KPI values.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import fields

import numpy as np

from adapters.influx import kpi_rows
from telemetry.errors import CityVitalsError
from telemetry.kpi_row import row_of
from telemetry.kpi_value import StoredKpi
from telemetry.partials import Partials, is_whole
from telemetry.series import FloatArray, IntArray

INTS = tuple(f.name for f in fields(Partials) if is_whole(f.name) and f.name not in ("series", "start"))
FLOATS = tuple(f.name for f in fields(Partials) if not is_whole(f.name))
SPECIAL = (math.nan, math.inf, -math.inf)  # by code - 1; two bits a field in the order of FLOATS, then the mean
_ESCAPE_TAG = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_UNFIT = re.compile(r"[\\\x00-\x1f\x7f]")


def tag(text: str) -> str:
    """A tag's value, '-' for an empty one. Raises CityVitalsError for what line protocol cannot carry."""
    if _UNFIT.search(text):
        raise CityVitalsError(f"{text!r} cannot be stored as a name; remove backslashes and control characters.")
    return text.translate(_ESCAPE_TAG) or "-"


def site_name(text: str) -> str:
    """A site as a tag; unsupported characters of this free text are replaced, not rejected."""
    return _UNFIT.sub("_", text) or "-"


def text_field(text: str) -> str:
    """A string field's value, with its quotes.

    Newlines are written as \\n: some servers split lines before they parse.
    """
    return quoted(text.replace("\\", "\\\\").replace("\n", "\\n"))


def text_of(field: str) -> str:
    """The inverse of `text_field`."""
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], field) if "\\" in field else field


def quoted(text: str) -> str:
    """A string field's value as line protocol has it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def partial_lines(heads: Sequence[str], partials: Partials) -> Iterator[str]:
    """One line a row; `heads`: measurement and tags of each row. No two rows may have the same identity."""
    floats = [getattr(partials, name) for name in FLOATS] + [partials.mean]
    codes = _special(floats)
    same = np.logical_and.reduce([getattr(partials, name) == partials.sum for name in ("min", "max", "first", "last")])
    for code, one in itertools.product(np.unique(codes).tolist(), (False, True)):
        rows = np.flatnonzero((codes == code) & (same == one))
        here = [i for i in range(len(floats)) if not code >> 2 * i & 3]
        names = [f"{name}=%si" for name in INTS] + [f"{(*FLOATS, 'mean')[i]}=%s" for i in here]
        form = f"%s special={code}i,{','.join(names)} %s"
        columns = [getattr(partials, name) for name in INTS] + [floats[i] for i in here] + [partials.start]
        texts = _texts([column[rows] for column in columns])
        yield from map(form.__mod__, zip([heads[i] for i in rows.tolist()], *texts, strict=True))


def _texts(columns: Sequence[IntArray | FloatArray]) -> Iterator[list[str]]:
    """The numbers as text; those of equal columns, of which windows of one reading have many, are made once."""
    known: dict[bytes, list[str]] = {}
    for column in columns:
        key = column.dtype.char.encode() + column.tobytes()
        if key not in known:
            known[key] = list(map(repr, column.tolist()))
        yield known[key]


def _special(floats: Sequence[FloatArray]) -> IntArray:
    """Which floats of each row InfluxDB cannot store: 1 NaN, 2 infinity, 3 -infinity, in two bits each."""
    codes = np.zeros(len(floats[0]), dtype=np.int64)
    for i, column in enumerate(floats):
        if not np.isfinite(column).all():
            code = np.isnan(column) + 2 * np.isposinf(column) + 3 * np.isneginf(column)
            codes |= code.astype(np.int64) << 2 * i
    return codes


def kpi_line(stored: StoredKpi, number: int) -> str:
    """The line of a KPI value and the number of this change. A value that is not finite is written as missing."""
    row = row_of(stored)
    floats, ints, texts = kpi_rows.fields_of(row)
    fields = [f"{name}={float(x)!r}" for name, x in floats.items()]
    fields += [f"{name}={int(x)}i" for name, x in {**ints, "number": number}.items()]
    fields += [f"{name}={text_field(text)}" for name, text in texts.items()]
    tags = ",".join(f"{name}={tag(row[ours])}" for ours, name in kpi_rows.TAGS.items())
    return f"kpi,{tags} {','.join(fields)} {row['time']}"
