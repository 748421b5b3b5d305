"""What an engine keeps of the days, as plain values: to be stored, and taken back by another engine at a start. Pure.

`Facts` is what stands beside the columns. The columns are parts of bytes, each under a name and with two checksums:
one of its values, so that what has not changed is not packed again, and one of its bytes, so that a damaged part shows.
Recent hours and windows are not in it: the store has them.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec
import numpy as np

from kpi_derivation.engine.days.grid import DayGrid, filled
from kpi_derivation.engine.packing import blocks, is_sparse, pack, unpack_into
from telemetry.series import FloatArray


class Damaged(ValueError):
    """A part is missing or is not what was stored."""


class Shape(msgspec.Struct, frozen=True):
    """First day (ordinal), rows and days of a grid."""

    origin: int
    rows: int
    days: int


class Facts(msgspec.Struct):
    """`series`: device and quantity of each row. `hours`: first and last start of the stored hours (ms UTC).

    `places`: rows that a grid of some quantities has. `peaks`: of a day, kW, ms UTC and number of meters. `known`:
    quarters with a power, of a day. `replaced`: days on which a row's register was replaced.
    """

    hours: tuple[int, int]
    series: list[tuple[str, str]]
    quantities: list[str]
    grids: dict[str, Shape] = {}
    places: dict[str, list[int]] = {}
    peaks: dict[int, tuple[float, int, int]] = {}
    known: dict[int, float] = {}
    replaced: dict[int, list[int]] = {}


class Part(msgspec.Struct, frozen=True):
    """Checksums of a part: of its values, and of its bytes as stored."""

    values: int
    stored: int


@dataclass(frozen=True, slots=True)
class State:
    """The facts, and the grids that `parts` reads the columns of."""

    facts: Facts
    grids: Mapping[str, DayGrid] = field(default_factory=dict)

    def parts(self, known: Mapping[str, Part]) -> Iterator[tuple[str, Part, bytes | None]]:
        """Every part with its checksums; its bytes are None where its values are those of `known`."""
        for title, grid in self.grids.items():
            for column in grid.columns:
                for number, days in blocks(grid.origin, grid.shape[1]):
                    name, values = f"{title}/{column}/{number}", np.ascontiguousarray(grid.columns[column][:, days])
                    checksum = zlib.crc32(values.data, len(values))  # rows first: a constant column may only grow
                    before = known.get(name)
                    if before is not None and before.values == checksum:
                        yield name, before, None
                    else:
                        data = pack(values)
                        yield name, Part(checksum, zlib.crc32(data)), data


def shape_of(grid: DayGrid) -> Shape:
    """The shape of a grid, to be stored."""
    return Shape(grid.origin, *grid.shape)


def fill(grids: Mapping[str, DayGrid], shapes: Mapping[str, Shape], data: Mapping[str, bytes]) -> None:
    """Give empty grids the columns of these parts. Raises Damaged."""
    for title, shape in shapes.items():
        grid = grids.get(title)
        if grid is None:
            raise Damaged(f"the engine does not have the grid '{title}'")
        grid.origin, grid.shape = shape.origin, (shape.rows, shape.days)
        for column, usual in grid.fills.items() if shape.days else ():
            grid.columns[column] = _column(f"{title}/{column}", shape, data, usual)


def _column(name: str, shape: Shape, data: Mapping[str, bytes], usual: float) -> FloatArray:
    # Of days on which most series have no data only the others are written, and to zeros the system gives no memory.
    parts = [is_sparse(data.get(f"{name}/{number}", b"")) for number, _ in blocks(shape.origin, shape.days)]
    sparse = 2 * sum(parts) > len(parts)
    made = filled((shape.rows, shape.days), usual) if sparse else np.empty((shape.rows, shape.days))
    for number, days in blocks(shape.origin, shape.days):
        try:
            unpack_into(made[:, days], data[f"{name}/{number}"], usual if sparse else None)
        except (KeyError, ValueError) as error:
            raise Damaged(f"{name}/{number}: {error}") from error
    return made
