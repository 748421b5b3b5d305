"""Partials and KPI values for the tests, made up by hand or by Hypothesis, and how to compare them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, get_args

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from adapters.store import Level, Store
from telemetry.kpi_value import KpiValue, Reason, Status, StoredKpi
from telemetry.partials import INT_FIELDS, Partials, column_type, fold
from telemetry.periods import KINDS
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.windows import HOUR, MINUTE

T0 = 1_514_764_800_000
EXAMPLES = min(60, settings().max_examples)  # each is written to a store and read from it
COLUMNS = tuple(f.name for f in fields(Partials))
FOREVER = (0, 4_102_444_800_000)


def partials_of(columns: dict[str, Any]) -> Partials:
    """Partials of a sequence for each column."""
    made: dict[str, Any] = {name: np.array(columns[name], dtype=column_type(name)) for name in COLUMNS}
    return Partials(**made)


def partials(table: SeriesTable, *rows: tuple[Any, ...], city: str = "aba", **columns: Any) -> Partials:
    """One row a (device, minute, value): one reading each; `columns` replaces whole columns."""
    ids = [table.id_of(Series(city, device, "no2")) for device, _, _ in rows]
    start = [T0 + minute * MINUTE for _, minute, _ in rows]
    value = [float(v) for _, _, v in rows]
    first_t = [t + 1000 for t in start]
    made = {
        "series": ids, "start": start, "n": [1] * len(rows), "sum": value, "min": value, "max": value,
        "sumsq": [v * v for v in value], "first_t": first_t, "first": value, "last_t": first_t, "last": value,
        "increase": [math.nan] * len(rows), "flagged": [0] * len(rows), "lag": [250] * len(rows), **columns,
    }  # fmt: skip
    return partials_of(made)


def read(
    store: Store, table: SeriesTable, start: int = FOREVER[0], end: int = FOREVER[1], city: str = "aba",
    level: Level = "window", series: Any = None,
) -> Partials:  # fmt: skip
    """All chunks as one, sorted by (series, start)."""
    return Partials.concat(list(store.partials(city, level, start, end, table, series))).latest()


def rows(found: Partials, table: SeriesTable) -> list[tuple[str, int, float]]:
    """(device, minute, sum) of each row."""
    columns = zip(found.series.tolist(), found.start.tolist(), found.sum.tolist(), strict=True)
    return [(table[i].device, (start - T0) // MINUTE, value) for i, start, value in columns]


def bits(found: Partials) -> dict[str, list[int]]:
    """Every column as the bits of its numbers; NaNs are alike, and so are 0.0 and -0.0 (SQLite keeps no sign of 0)."""
    columns = {name: getattr(found, name) for name in COLUMNS}
    return {
        name: (np.where(np.isnan(c), np.nan, c + 0.0).view(np.int64) if c.dtype.kind == "f" else c).tolist()
        for name, c in columns.items()
    }


_WHOLE = st.integers(-(2**53), 2**53)
_ANY_NUMBER = st.floats(allow_nan=False) | st.sampled_from([math.nan, math.inf, -math.inf, 5e-324, 0.1 + 0.2])


@st.composite
def any_partials(draw: st.DrawFn) -> tuple[list[Series], Partials]:
    """Up to 6 rows of any content on few identities, so that examples meet again what earlier ones wrote."""
    names = [Series("aba", device, q) for device in ("a", "b:1.x-y_z") for q in ("no2", "energy_total")]
    identities = st.tuples(st.integers(0, len(names) - 1), st.integers(0, 3).map(lambda hour: T0 + hour * HOUR))
    chosen = draw(st.lists(identities, min_size=1, max_size=6, unique=True))
    made: dict[str, Any] = {"series": [i for i, _ in chosen], "start": [start for _, start in chosen]}
    for name in COLUMNS[2:]:
        values = _WHOLE if name in INT_FIELDS else _ANY_NUMBER
        made[name] = draw(st.lists(values, min_size=len(chosen), max_size=len(chosen)))
    return names, partials_of(made)


_ODD = [0.0, -0.0, 1.0, 0.1, 61.599999999999994, 5e-324, -1e200, 1e308, math.nan, math.inf, -math.inf]


@st.composite
def of_readings(draw: st.DrawFn, names: list[Series]) -> Partials:
    """Windows or hours of up to four readings of the first two series, as a gateway folds them; some fields changed."""
    table, width = SeriesTable(names), draw(st.sampled_from([MINUTE, HOUR]))
    series = draw(st.lists(st.integers(0, 1), min_size=1, max_size=4))
    value = [draw(st.sampled_from(_ODD[:7]) | st.floats(-1e6, 1e6)) for _ in series]
    t = np.array([T0 + draw(st.integers(0, width - 1)) for _ in series], dtype=np.int64)
    flag = np.array([draw(st.sampled_from([0, 0, 0, 1])) for _ in series], dtype=np.int64)
    ids = np.array(series, dtype=np.int64)
    readings = Readings.of(ids, t, np.array(value), arrival=t + draw(st.integers(0, 10**7)), flag=flag)
    made = fold(readings, width, table.modulus(ids))
    columns: dict[str, Any] = {name: getattr(made, name).tolist() for name in COLUMNS}
    for name in draw(st.lists(st.sampled_from(COLUMNS[2:]), max_size=3)):
        odd = st.sampled_from([0, 1, -1, T0, T0 + width - 1, 2**63 - 1, -(2**63)] if name in INT_FIELDS else _ODD)
        columns[name] = [draw(odd) for _ in columns[name]]
    return partials_of(columns)


def kpi(value: float | None = 12.5, **changes: Any) -> StoredKpi:
    """A KPI value; `changes` to any field of it or beside it."""
    beside = {name: changes.pop(name) for name in ("changed", "previous", "updated") if name in changes}
    plain: dict[str, Any] = {
        "city": "aba", "code": "EN:EN:AQ:1C", "part": "no2", "period": "2018", "kind": "year", "start": T0,
        "end": T0 + 365 * 24 * HOUR, "unit": "ug/m3", "coverage": 0.9, "status": "final", "n_devices": 6,
        "method": "mean of stations", **changes,
    }  # fmt: skip
    return StoredKpi(kpi=KpiValue(value=value, **plain), **{"changed": T0, **beside})


def values(found: Sequence[StoredKpi]) -> list[float | None]:
    """The values alone."""
    return [one.kpi.value for one in found]


_NUMBER = st.none() | st.floats(allow_nan=False, allow_infinity=False)
_KPI_TEXT = {name: st.text() for name in ("period", "unit", "method", "notes")}

any_kpi = st.builds(
    kpi,
    value=_NUMBER, previous=_NUMBER, coverage=st.floats(0, 1), kind=st.sampled_from(KINDS),
    part=st.sampled_from(["", "pm2_5"]), status=st.sampled_from(get_args(Status)),
    reason=st.sampled_from(get_args(Reason)),
    n_devices=st.integers(0, 10**6), revision=st.integers(1, 10**6), changed=_WHOLE, updated=_WHOLE, **_KPI_TEXT,
)  # fmt: skip
