"""How recorded files are written. The folder is the registry: a module's name is the shape's name.

A module has `headers(path, options)`, the lists of column names that the file may have (none where it is not written
so), and `read(path, header, options, numbers)`, the rows of one of them as chunks. Both raise UsageError for a file
that cannot be read.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from adapters.files.arrow_csv import Numbers
from adapters.files.csv_table import Header
from adapters.files.table import Chunk
from telemetry.errors import UsageError, nearest


class Shape(Protocol):
    """What a module of this folder has."""

    def headers(self, path: Path, options: dict[str, Any]) -> Iterable[Header]:
        """The column names that the file may have, in the order in which they are to be tried."""
        ...

    def read(
        self, path: Path, header: Header, options: dict[str, Any], numbers: Mapping[str, Numbers]
    ) -> Iterator[Chunk]:
        """The rows under one of its headers."""
        ...


def names() -> list[str]:
    """All shapes."""
    return sorted(found.name for found in pkgutil.iter_modules(__path__))


def shape(name: str) -> Shape:
    """One shape. Raises UsageError for an unknown name."""
    if name not in names():
        raise UsageError(f"There is no shape '{name}' of recorded files; {nearest(name, names())}")
    return cast(Shape, importlib.import_module(f"{__name__}.{name}"))
