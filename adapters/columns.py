"""Rows of partials and KPI values, for stores that are databases with tables: names and order of the columns, made from
the one description of each row, and rows from values and back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from adapters.store import Level
from telemetry.kpi_row import FIELDS, IDENTITY, row_of, value_of
from telemetry.kpi_value import StoredKpi
from telemetry.partials import Partials, column_type
from telemetry.series import IntArray
from telemetry.windows import DAY, HOUR

# Columns of partials beside their identity, and of KPI values, in the order in which they are written and read.
PARTIAL_COLUMNS = tuple(f.name for f in fields(Partials) if f.name not in ("series", "start"))
KPI_COLUMNS = (*IDENTITY, *(f.name for f in FIELDS if f.name not in IDENTITY))


BUCKET: dict[Level, int] = {"window": HOUR, "hour": DAY}  # ms: rows are read in whole buckets


def nullable(column: np.ndarray[Any, Any]) -> list[Any]:
    """A column as Python values, NaN as None."""
    values = column.tolist()
    if column.dtype.kind == "f" and np.isnan(column).any():
        return [None if v != v else v for v in values]  # noqa: PLR0124 - NaN is what differs from itself
    return list(values)


def partials_of(rows: list[Any], lookup: IntArray) -> Partials:
    """Columns from rows (series, start, ...), sorted by (series, start). `lookup`: the id of each of the store's."""
    series, start, *rest = zip(*rows, strict=True)
    columns: list[Any] = [lookup[np.array(series, dtype=np.int64)], np.array(start, dtype=np.int64)]
    columns += [np.array(c, dtype=column_type(name)) for name, c in zip(PARTIAL_COLUMNS, rest, strict=True)]
    partials = Partials(*columns)
    return partials.take(np.lexsort((partials.start, partials.series)))


def kpi_row(stored: StoredKpi) -> tuple[Any, ...]:
    """The row of a stored value, in the order of KPI_COLUMNS."""
    row = row_of(stored)
    return tuple(row[name] for name in KPI_COLUMNS)


def stored_kpi(row: Sequence[Any]) -> StoredKpi:
    """The stored value of such a row."""
    return value_of(dict(zip(KPI_COLUMNS, row, strict=True)))
