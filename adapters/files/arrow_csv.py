"""Blocks of CSV decoded by columns with pyarrow: texts as codes, numbers as an array.

It decodes only what is sound in every row; for anything else, and where pyarrow is not installed, the answer is None
and the caller reads row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from adapters.files.table import Coded, Column, Floats


@cache
def _pyarrow() -> tuple[Any, Any]:
    """The library and its reader of CSV; None where it, an extra, is not installed: files are read row by row."""
    try:
        import pyarrow  # noqa: PLC0415 - takes a fifth of a second
        from pyarrow import csv  # noqa: PLC0415
    except ImportError:
        return None, None
    return pyarrow, csv


class Numbers(NamedTuple):
    """How the numbers of a column are written. `missing`: texts that stand for no value."""

    decimal: str = "."
    missing: tuple[str, ...] = ()


def decoded(
    block: str, names: Sequence[str], delimiter: str, numbers: Mapping[str, Numbers]
) -> Sequence[Column] | None:
    """The columns of a block of whole lines: of `numbers` as Floats, else Coded; None where a row is not sound."""
    pyarrow, arrow = _pyarrow()
    if arrow is None:
        return None
    unique = [str(place) for place in range(len(names))]  # a name may come twice
    marks = {m for n in numbers.values() for m in n.missing}
    text = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    types = {u: pyarrow.float64() if name in numbers else text for u, name in zip(unique, names, strict=True)}
    try:
        table = arrow.read_csv(
            pyarrow.py_buffer(block.encode()),
            arrow.ReadOptions(use_threads=False, column_names=unique, block_size=len(block) * 4 + 64),
            arrow.ParseOptions(delimiter=delimiter),
            arrow.ConvertOptions(
                column_types=types,
                null_values=sorted(marks),
                decimal_point=next((n.decimal for n in numbers.values()), "."),
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pyarrow.ArrowInvalid:
        return None
    if table.num_rows != block.count("\n"):
        return None  # empty lines: the numbers of lines would not be right
    return [
        _column(column.combine_chunks(), name in numbers) for column, name in zip(table.columns, names, strict=True)
    ]


def _column(whole: Any, is_number: bool) -> Column:  # noqa: ANN401 - pyarrow has no types
    if is_number:
        return Floats(whole.to_numpy(zero_copy_only=False))
    if hasattr(whole, "unify_dictionaries"):  # more than one chunk
        whole = whole.unify_dictionaries().combine_chunks()
    codes = whole.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return Coded([value.strip() for value in whole.dictionary.to_pylist()], codes)
