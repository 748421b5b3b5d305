"""A table of named columns, as the library returns it: NumPy arrays, with ways to pandas and Polars."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from telemetry.errors import CityVitalsError

Column = npt.NDArray[Any]
_SHOWN = 10


class Table(Mapping[str, Column]):
    """Columns of equal length: `table["value"]` is an array, `table.rows()` yields dictionaries.

    Times are `datetime64[ms]` in UTC; a missing number is NaN.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            raise ValueError(f"columns of different lengths: {sorted(lengths)}")
        self._columns = dict(columns)

    @staticmethod
    def of_rows(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
        """A table from rows; None becomes NaN in a column of numbers."""
        cells = list(zip(*rows, strict=True)) or [()] * len(names)
        return Table({name: _column(values) for name, values in zip(names, cells, strict=True)})

    def __getitem__(self, name: str) -> Column:
        return self._columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        """The number of columns, as of any mapping; `height` is the number of rows."""
        return len(self._columns)

    @property
    def height(self) -> int:
        """The number of rows."""
        return len(next(iter(self._columns.values()), ()))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Each row as a dictionary."""
        for values in zip(*self._columns.values(), strict=True):
            yield dict(zip(self._columns, values, strict=True))

    def to_pandas(self) -> Any:  # noqa: ANN401 - a library that may be absent
        """A pandas DataFrame. Raises CityVitalsError where pandas is not installed."""
        try:
            import pandas  # type: ignore[import-not-found,import-untyped,unused-ignore] # noqa: PLC0415
        except ModuleNotFoundError:
            raise CityVitalsError("pandas is not installed; run: pip install pandas") from None
        return pandas.DataFrame(self._columns)

    def to_polars(self) -> Any:  # noqa: ANN401 - a library that may be absent
        """A Polars DataFrame. Raises CityVitalsError where Polars is not installed."""
        try:
            import polars  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415
        except ModuleNotFoundError:
            raise CityVitalsError("polars is not installed; run: pip install polars") from None
        return polars.DataFrame({n: c.tolist() if c.dtype == object else c for n, c in self._columns.items()})

    def __repr__(self) -> str:
        lines = ["  ".join(self._columns)]
        for row, _ in zip(self.rows(), range(_SHOWN), strict=False):
            lines.append("  ".join(str(value) for value in row.values()))
        if self.height > _SHOWN:
            lines.append(f"... {self.height} rows")
        return "\n".join(lines)


def _column(values: Sequence[Any]) -> Column:
    if values and all(value is None or isinstance(value, float) for value in values):
        return np.array([np.nan if value is None else value for value in values])
    if values and all(isinstance(value, int) for value in values):
        return np.array(values, dtype=np.int64)
    return np.array(values, dtype=object)


def times(ms: Sequence[int] | npt.NDArray[np.int64]) -> Column:
    """UTC ms as `datetime64[ms]`."""
    return np.asarray(ms, dtype=np.int64).astype("datetime64[ms]")
