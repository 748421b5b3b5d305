"""JSON: a list of records, or one object a line. Members of members are columns with a dot: `period.start`.

Options: `each`, the JMESPath of the records (a list; an object of lists, whose names become the column `key`); `fill`,
columns that a record takes from the one before it where it has none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jmespath
import msgspec

from adapters.files import text
from adapters.files.arrow_csv import Numbers
from adapters.files.csv_table import Header
from adapters.files.table import Chunk
from telemetry.errors import UsageError

_PART = 20_000


def headers(path: Path, options: dict[str, Any]) -> Iterable[Header]:
    """The names of all columns, where the file is JSON with records under `each`."""
    records = _records(path, options)
    names = dict.fromkeys(name for record in records for name in record)
    if names:
        yield Header(list(names), "", 0)


def _records(path: Path, options: dict[str, Any]) -> list[dict[str, Any]]:
    if text.start(path, 64).lstrip(b"\xef\xbb\xbf \r\n\t")[:1] not in (b"{", b"["):
        return []
    found = jmespath.search(options["each"], _document(path)) if "each" in options else _document(path)
    if isinstance(found, dict):
        found = [{"key": key, **item} for key, items in found.items() for item in _list(items)]
    records = [_flat(item) for item in _list(found)]
    before: dict[str, Any] = {}
    for record in records:
        for name in options.get("fill", ()):
            record.setdefault(name, before.get(name))
        before = record
    return records


def _document(path: Path) -> Any:  # noqa: ANN401
    payload = text.whole(path)
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        try:
            return [msgspec.json.decode(line) for line in payload.splitlines() if line.strip()]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise UsageError(f"{path} is not JSON: {error}.") from None


def _list(found: object) -> list[dict[str, Any]]:
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _flat(record: dict[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, item in record.items():
        if isinstance(item, dict) and before.count(".") < 5:
            flat |= _flat(item, f"{before}{name}.")
        else:
            flat[before + name] = item
    return flat


def read(path: Path, header: Header, options: dict[str, Any], numbers: Mapping[str, Numbers]) -> Iterator[Chunk]:  # noqa: ARG001
    """The records as texts; a record's line is its place in the list."""
    records = _records(path, options)
    for start in range(0, len(records), _PART):
        part = records[start : start + _PART]
        columns = [[_text(record.get(name)) for record in part] for name in header.names]
        yield Chunk(path, header.names, range(start + 1, start + 1 + len(part)), columns)


def _text(value: object) -> str:
    return "" if value is None else str(value)
