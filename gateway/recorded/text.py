"""Texts of a recorded file: patterns with columns in braces, and numbers as files write them. Pure."""

from __future__ import annotations

import re

import numpy as np

from adapters.files.table import Chunk, Coded, Column
from telemetry.series import FloatArray

_PIECE = re.compile(r"\{([^{}]*)\}")


def filled(pattern: str, chunk: Chunk, column: str) -> Coded:
    """A pattern such as `{station}-{connector}` for each row. `column`: what `{column}` is.

    A part that is empty is left out with the text before it.
    """
    pieces = _PIECE.split(pattern)
    file = chunk.path.name.partition(".")[0]
    fixed = {"column": column, "file": file}
    if len(pieces) == 3 and not pieces[0] and not pieces[2] and pieces[1] not in fixed:
        return Coded.of(chunk.column(pieces[1]) if pieces[1] in chunk.header else [""] * len(chunk))
    parts = [
        (text, [fixed[name]] * len(chunk) if name in fixed else _column(chunk, name))
        for text, name in zip(pieces[::2], pieces[1::2], strict=False)
    ]
    if not parts:
        return Coded([pattern], np.zeros(len(chunk), dtype=np.int64))
    return Coded.of(
        "".join(text + found for (text, _), found in zip(parts, row, strict=True) if found).lstrip("-") + pieces[-1]
        for row in zip(*(column for _, column in parts), strict=True)
    )


def _column(chunk: Chunk, name: str) -> Column:
    return chunk.column(name) if name in chunk.header else [""] * len(chunk)


def numbers_of(column: Column, missing: frozenset[str], decimal_comma: bool) -> tuple[FloatArray, list[int]]:
    """The numbers of a column of texts, NaN where there is none; and the rows whose text is not a number."""
    coded = Coded.of(column)
    values, wrong = [], np.zeros(len(coded.values), dtype=np.bool_)
    for place, text in enumerate(coded.values):
        plain = text.replace(",", ".") if decimal_comma else text
        try:
            values.append(float("nan") if text in missing or "_" in text else float(plain))
        except ValueError:
            values.append(float("nan"))
        wrong[place] = values[-1] != values[-1] and text not in missing
    found = np.array(values or [0.0], dtype=np.float64)
    return found[coded.codes], np.flatnonzero(wrong[coded.codes]).tolist()
