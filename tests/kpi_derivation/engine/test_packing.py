"""Blocks of days come back bit for bit, in few bytes where most series have no data; damaged ones are noticed."""

from __future__ import annotations

import numpy as np
import pytest

from kpi_derivation.engine.days.grid import DayGrid, filled
from kpi_derivation.engine.packing import is_sparse, pack, unpack_into
from kpi_derivation.engine.state import Shape, State, fill, shape_of
from telemetry.series import FloatArray

OTHER_NAN = np.array([0x7FF8000000000001], dtype=np.uint64).view(np.float64)[0]


def sparse(usual: float, rows: int = 1000, days: int = 64, share: float = 0.01) -> FloatArray:
    """A block in which few rows have other values than the usual one, some of them for a part of its days."""
    draw = np.random.default_rng(rows + days)
    made = np.full((rows, days), usual)
    some = np.flatnonzero(draw.random(rows) < share)
    made[some] = np.where(draw.random((len(some), days)) < 0.7, draw.normal(size=(len(some), days)), usual)
    return made


BLOCKS = {
    "zeros": np.zeros((50, 64)),
    "one value": np.full((50, 7), np.nan),
    "one value and a negative zero": np.where(np.arange(64 * 50).reshape(50, 64) == 70, -0.0, 0.0),
    "two kinds of NaN": np.where(np.arange(64 * 50).reshape(50, 64) == 3100, OTHER_NAN, np.nan),
    "few rows": sparse(0.0),
    "few rows in NaN": sparse(np.nan),
    "many rows": sparse(0.0, share=0.7),
    "noise": np.random.default_rng(1).normal(size=(300, 64)),
    "repeated": np.tile(np.random.default_rng(2).normal(size=(1, 64)), (300, 1)),
    "one row": np.arange(64.0).reshape(1, 64),
    "no row": np.empty((0, 64)),
}


@pytest.mark.parametrize("name", BLOCKS)
def test_a_block_comes_back_bit_for_bit(name: str) -> None:
    values = BLOCKS[name]
    data = pack(values)
    for there in (None, 0.0, np.nan, 3.5):
        made = np.full(values.shape, 7.0 if there is None else there)
        unpack_into(made, data, there)
        assert made.tobytes() == values.tobytes()


def test_rows_without_data_take_no_bytes() -> None:
    values = sparse(0.0, 10_000)
    with_data = int((values != 0).any(axis=1).sum())
    assert len(pack(values)) < with_data * 64 * 8 + with_data * 4 + 20
    assert is_sparse(pack(values))
    assert not is_sparse(pack(BLOCKS["noise"]))


@pytest.mark.parametrize("name", BLOCKS)
def test_bytes_of_another_shape_or_cut_off_are_noticed(name: str) -> None:
    values = BLOCKS[name]
    data = pack(values)
    for damaged in (data[:-1], data[:5], b"", b"x" + data[1:]):
        if damaged == data or (name == "no row" and damaged == data[:5]):
            continue
        with pytest.raises(ValueError, match=r".+"):
            unpack_into(np.empty(values.shape), damaged)
    if name in ("few rows", "few rows in NaN", "many rows", "noise", "repeated"):
        with pytest.raises(ValueError, match="block of days"):
            unpack_into(np.empty((len(values), 63)), data)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.9])
def test_a_grid_comes_back_from_its_parts(share: float) -> None:
    """Large enough that its columns are mapped; it can grow and be written afterwards."""
    rows, days = 3000, 400
    columns = {"a": np.zeros((rows, days)), "b": np.full((rows, days), np.nan)}
    for name, column in columns.items():
        some = sparse(column[0, 0], rows, days, share)
        column[:] = np.where(np.arange(days) < 300, some, 1.0 + (name == "b"))
    grid = DayGrid({"a": 0.0, "b": np.nan}, 1000, (rows, days), columns)
    parts = {name: data for name, _, data in State(None, {"g": grid}).parts({}) if data is not None}  # type: ignore[arg-type]
    again = DayGrid(grid.fills)
    fill({"g": again}, {"g": shape_of(grid)}, parts)
    assert shape_of(again) == Shape(1000, rows, days)
    for name, column in columns.items():
        assert again.columns[name].tobytes() == column.tobytes()
    again.ensure(rows + 1, 990, 1450)
    again.put(np.array([rows]), np.array([995]), {"a": np.array([2.0])})
    assert again.columns["a"][rows, 995 - again.origin] == 2.0
    assert again.columns["a"][:rows, 10:410].tobytes() == columns["a"].tobytes()


@pytest.mark.parametrize("fill_", [0.0, np.nan, 2.5])
@pytest.mark.parametrize("shape", [(0, 0), (3, 4), (1500, 800)])
def test_a_column_of_one_value(fill_: float, shape: tuple[int, int]) -> None:
    made = filled(shape, fill_)
    assert made.tobytes() == np.full(shape, fill_).tobytes()
    made[...] = 1.0
    assert made.sum() == shape[0] * shape[1]
