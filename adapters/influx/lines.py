"""Line protocol of partials, KPI values and cities.

A rewrite in InfluxDB merges fields, so an omitted field would keep its old value. A field that is always written
therefore marks what is omitted: `special` for partials (see special.py), `valued` and `replaced` for KPI values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec
import numpy as np

from adapters.influx import kpi_rows
from adapters.influx.special import FLOATS, INTS, marks, names_of
from adapters.store import Level
from telemetry.errors import CityVitalsError
from telemetry.kpi_row import row_of
from telemetry.kpi_value import StoredKpi
from telemetry.partials import Partials
from telemetry.series import FloatArray, IntArray, Series

_PLAIN_TAG = re.compile(r"[^\\,= \x00-\x1f\x7f]+")
_ESCAPE_TAG = str.maketrans({",": r"\,", "=": r"\=", " ": r"\ "})
_JSON = msgspec.json.Encoder().encode  # the shortest text of each number, at a third of the time of repr
_MOST_HEADS = 20_000  # that are remembered, 300 bytes each: a larger city makes them for each put
_UNFIT = re.compile(r"[\\\x00-\x1f\x7f]")


def tag(text: str) -> str:
    """A tag's value, '-' for an empty one. Raises CityVitalsError for what line protocol cannot carry."""
    if _PLAIN_TAG.fullmatch(text):
        return text
    if _UNFIT.search(text):
        raise CityVitalsError(f"{text!r} cannot be stored as a name; remove backslashes and control characters.")
    return text.translate(_ESCAPE_TAG) or "-"


def site_name(text: str) -> str:
    """A site as a tag; unsupported characters of this free text are replaced, not rejected."""
    return _UNFIT.sub("_", text) or "-"


class Heads:
    """Measurement and tags of lines: UTF-8, each byte as one character, so that characters of one byte are joined."""

    def __init__(self, level: str) -> None:
        self._level = level
        self._tags: dict[str, str] = {}  # each made once
        self._made: dict[tuple[Series, str], str] = {}

    def of(self, series: Series, site: str) -> str:
        """The head of a series at this site. Raises as `tag`."""
        made = self._made.get((series, site))
        if made is None:
            if len(self._made) >= _MOST_HEADS:
                self._made.clear()
                self._tags.clear()
            made = self._made[series, site] = self._make(series, site)
        return made

    def _make(self, series: Series, site: str) -> str:
        city, device, quantity = series
        tags = self._tag
        return f"{self._level},city={tags(city)},device={tags(device)},quantity={tags(quantity)},site={tags(site)}"

    def _tag(self, text: str) -> str:
        made = self._tags.get(text)
        if made is None:
            made = self._tags[text] = tag(text).encode().decode("latin-1")
        return made


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


def partial_lines(level: Level, heads: Mapping[int, str], partials: Partials) -> bytes:
    """One line a row of this level; `heads`: see `Heads`, by series. No two rows may have the same identity."""
    if not len(partials):
        return b""
    special, left_out = marks(level, partials)
    has_mean = np.isfinite(partials.mean)  # no reader of ours needs it; panels of an operator's own do
    alike = (partials.min == partials.sum) & (partials.max == partials.sum) & (partials.last == partials.sum)
    kinds = 4 * left_out + 2 * has_mean + alike  # rows of one reading apart: most of their columns are equal
    groups = [kinds == kind for kind in np.unique(kinds).tolist()] if kinds.min() < kinds.max() else [kinds == kinds[0]]
    texts = []
    for rows in groups:
        without = names_of(int(left_out[first := rows.argmax()])) | (set() if has_mean[first] else {"mean"})
        texts.append(_alike(heads, partials.where(rows), special[rows], without))
    return "\n".join(texts).encode("latin-1")


def _alike(heads: Mapping[int, str], partials: Partials, special: IntArray, without: set[str]) -> str:
    """The lines of rows that all lack the fields `without`."""
    lines = _Lines([heads[i] for i in partials.series.tolist()])
    lines.add(" special=", special)
    lines.add("i")
    for name in INTS:
        if name not in without:
            lines.add(f",{name}=", getattr(partials, name))
            lines.add("i")
    for name in (*FLOATS, "mean"):
        if name not in without:
            lines.add(f",{name}=", getattr(partials, name))
    lines.add(" ", partials.start)
    return lines.joined()


class _Lines:
    """The pieces of lines: what is equal in all of them, and columns of texts. Joining texts is faster than bytes."""

    def __init__(self, heads: list[str]) -> None:
        self._count = len(heads)
        self._pieces = ["", ""]  # of one line; at the places of columns they are replaced
        self._columns = {0: heads}
        self._known: dict[tuple[str, bytes], list[str]] = {}

    def add(self, text: str, numbers: IntArray | FloatArray | None = None) -> None:
        """Append a text to all lines and a number to each; equal columns, of which there are many, become text once."""
        self._pieces[-1] += text
        if numbers is None:
            return
        bits = numbers.view(np.int64)
        if (bits == bits[0]).all():
            self._pieces[-1] += repr(numbers[0].item())
            return
        key = (numbers.dtype.char, numbers.tobytes())
        if key not in self._known:
            self._known[key] = _JSON(numbers.tolist()).decode()[1:-1].split(",")
        self._columns[len(self._pieces)] = self._known[key]
        self._pieces += ["", ""]

    def joined(self) -> str:
        """All lines, with a newline between each two."""
        self._pieces[-1] += "\n"
        pieces = self._pieces * self._count
        for place, column in self._columns.items():
            pieces[place :: len(self._pieces)] = column
        pieces[-1] = pieces[-1][:-1]
        return "".join(pieces)


def kpi_line(stored: StoredKpi, number: int) -> str:
    """The line of a KPI value and the number of this change. A value that is not finite is written as missing."""
    row = row_of(stored)
    floats, ints, texts = kpi_rows.fields_of(row)
    fields = [f"{name}={float(x)!r}" for name, x in floats.items()]
    fields += [f"{name}={int(x)}i" for name, x in {**ints, "number": number}.items()]
    fields += [f"{name}={text_field(text)}" for name, text in texts.items()]
    tags = ",".join(f"{name}={tag(row[ours])}" for ours, name in kpi_rows.TAGS.items())
    return f"kpi,{tags} {','.join(fields)} {row['time']}"
