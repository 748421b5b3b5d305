"""The windows enclosed in a signed pack, as a file, and the Merkle roots over them. Pure.

One group per device, quantity and month of the city's time. A column in which every row is equal is one number, and a
column that equals an earlier one is its name, so that a window of one reading costs little. `lag` depends on the time
of arrival, is used by no derivation and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from reporting.evidence.merkle import leaf, root
from telemetry.partials import Partials, column_type
from telemetry.periods import local_date
from telemetry.quantities import QUANTITIES
from telemetry.series import Series, SeriesTable

SCHEMA = 1
METHOD = "window-fold/1"
COLUMNS = (
    "start", "n", "sum", "min", "max", "sumsq", "first_t", "first", "last_t", "last", "increase", "flagged",
)  # fmt: skip

Column = str | float | int | None | list[float | int | None]


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The windows of one series in one month, in time order."""

    device: str
    quantity: str
    unit: str
    month: str
    rows: int
    columns: dict[str, Column]

    @property
    def place(self) -> tuple[str, str, str]:
        """Device, month and quantity, in the order of the file."""
        return (self.device, self.month, self.quantity)


class Enclosure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """windows.json: the city file, the width of a window in ms, and all groups in order."""

    schema: int
    city: dict[str, Any]
    width: int
    groups: list[Group]


class Root(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The Merkle root, in hexadecimal, over all windows of a device in a month."""

    device: str
    month: str
    windows: int
    root: str


def groups_of(windows: Partials, table: SeriesTable, zone: ZoneInfo) -> list[Group]:
    """The groups of windows that are sorted by (series, start)."""
    found = []
    for number in np.unique(windows.series).tolist():
        name, mine = table[number], windows.take(windows.series == number)
        months = np.array([f"{local_date(t, zone):%Y-%m}" for t in mine.start.tolist()])
        for month in np.unique(months).tolist():
            found.append(_group(name, month, mine.take(months == month)))
    return sorted(found, key=lambda g: g.place)


def _group(name: Series, month: str, windows: Partials) -> Group:
    return Group(
        device=name.device, quantity=name.quantity, unit=QUANTITIES[name.quantity].unit, month=month,
        rows=len(windows), columns=_packed({c: _plain(getattr(windows, c)) for c in COLUMNS}),
    )  # fmt: skip


def _plain(column: np.ndarray[Any, Any]) -> list[Any]:
    """Python numbers; None for NaN."""
    if column.dtype.kind == "f":
        return [None if value != value else value for value in column.tolist()]  # noqa: PLR0124 - NaN
    return list(column.tolist())


def _packed(columns: Mapping[str, list[Any]]) -> dict[str, Column]:
    packed: dict[str, Column] = {}
    for name, values in columns.items():
        same = next((other for other in packed if columns[other] == values and name not in ("start",)), None)
        if len(values) > 1 and _is_constant(values):
            packed[name] = values[0]
        else:
            packed[name] = same if same and _same_bits(columns[same], values) else values
    return packed


def _is_constant(values: list[Any]) -> bool:
    return all(v == values[0] for v in values) and _same_bits([values[0]] * len(values), values)


def _same_bits(a: list[Any], b: list[Any]) -> bool:
    """Equal in type and sign of zero too, so that reading gives the same bits."""
    return list(map(repr, a)) == list(map(repr, b))


def windows_of(groups: Iterable[Group], city: str, table: SeriesTable) -> Partials:
    """The windows of the groups, sorted by (series, start). Raises ValueError for columns that do not fit."""
    parts = []
    for group in groups:
        columns = unpacked(group)
        series = np.full(group.rows, table.id_of(Series(city, group.device, group.quantity)), dtype=np.int64)
        parts.append(Partials(series=series, lag=np.zeros(group.rows, dtype=np.int64), **columns))
    return Partials.concat(parts).latest()


def unpacked(group: Group) -> dict[str, Any]:
    """The columns as arrays. Raises ValueError."""
    if set(group.columns) != set(COLUMNS):
        raise ValueError(f"the group {' '.join(group.place)} lacks columns or has unknown ones")
    found: dict[str, Any] = {}
    for name in COLUMNS:
        given = group.columns[name]
        if isinstance(given, str):
            if given not in found:
                raise ValueError(f"column {name} of {' '.join(group.place)} refers to '{given}', not before it")
            found[name] = found[given].astype(column_type(name))
            continue
        values = given if isinstance(given, list) else [given] * group.rows
        if len(values) != group.rows:
            raise ValueError(f"column {name} of {' '.join(group.place)} has {len(values)} of {group.rows} rows")
        found[name] = _array(values, column_type(name))
    return found


def _array(values: Sequence[Any], kind: type[np.int64] | type[np.float64]) -> Any:  # noqa: ANN401 - arrays
    if kind is np.int64 and any(type(v) is not int for v in values):
        raise ValueError("a column of whole numbers has a value that is not one")
    return np.array([np.nan if v is None else v for v in values] if kind is np.float64 else values, dtype=kind)


def roots_of(groups: Sequence[Group], width: int) -> list[Root]:
    """One root per device and month: its quantities in order, each window a leaf."""
    leaves: dict[tuple[str, str], list[bytes]] = {}
    for group in sorted(groups, key=lambda g: g.place):
        leaves.setdefault((group.device, group.month), []).extend(leaves_of(group, width))
    return [
        Root(device=device, month=month, windows=len(found), root=root(found).hex())
        for (device, month), found in sorted(leaves.items())
    ]


def leaves_of(group: Group, width: int) -> list[bytes]:
    """A leaf for each window: series, unit, interval and method, then time and value bits as little-endian words."""
    head = "\x1f".join((group.device, group.quantity, group.unit, str(width), METHOD)).encode() + b"\x1e"
    columns = unpacked(group)
    words = np.empty((group.rows, len(COLUMNS)), dtype="<i8")
    for place, name in enumerate(COLUMNS):
        column = columns[name]
        words[:, place] = _bits(column) if column.dtype.kind == "f" else column
    raw, size = words.tobytes(), 8 * len(COLUMNS)
    return [leaf(head + raw[i : i + size]) for i in range(0, len(raw), size)]


def _bits(column: Any) -> Any:  # noqa: ANN401 - arrays
    """The bits of float64 as integers; every NaN has the same."""
    return np.where(np.isnan(column), np.nan, column).astype("<f8").view("<i8")
