"""Apache Parquet, a row group at a time (needs pyarrow, the extra `export`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from adapters.files.arrow_csv import Numbers
from adapters.files.csv_table import Header
from adapters.files.shapes.csv import is_parquet
from adapters.files.table import Chunk
from registry.extras import need
from telemetry.errors import UsageError, cause


def headers(path: Path, options: dict[str, Any]) -> Iterable[Header]:  # noqa: ARG001 - every shape is called so
    """The file's column names. Raises UsageError for a file that is damaged."""
    if is_parquet(path):
        yield Header(list(_file(path).schema_arrow.names), "", 0)


def _file(path: Path) -> Any:  # noqa: ANN401 - pyarrow has no types
    need("export", "pyarrow")
    from pyarrow import ArrowException  # noqa: PLC0415 - an extra
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415

    try:
        return ParquetFile(path)
    except (ArrowException, OSError) as error:
        raise UsageError(f"{path} cannot be read: {cause(error)}.") from None


def read(path: Path, header: Header, options: dict[str, Any], numbers: Mapping[str, Numbers]) -> Iterator[Chunk]:  # noqa: ARG001
    """The rows as texts; a row's line is its number in the file."""
    file, row = _file(path), 1
    for batch in file.iter_batches(batch_size=50_000):
        columns = [[_text(value) for value in column.to_pylist()] for column in batch.columns]
        yield Chunk(path, header.names, range(row, row + batch.num_rows), columns, size=batch.nbytes)
        row += batch.num_rows


def _text(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat(" ") if hasattr(value, "isoformat") else str(value)
