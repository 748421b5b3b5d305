"""Recorded families: one TOML file each for a kind of recorded file. The folder `families` is the registry.

`read` gives a file's rows in the layouts that replay understands, whatever the file is: one of those layouts, a family
that is named, an operator's own column map, or a family that is recognised by the columns of the file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from pydantic import ValidationError

from adapters.files import recorded
from adapters.files.csv_table import Header, find_header
from adapters.files.shapes import shape
from adapters.files.table import LAYOUTS, Chunk
from adapters.files.text import start
from gateway.recorded.columns import Arranger
from registry.recorded import ColumnMap, Columns, RecordedFamily
from registry.toml import load
from telemetry.errors import UsageError, nearest

FOLDER = Path(__file__).parent / "families"


@dataclass(frozen=True)
class How:
    """How files are to be read: the operator's options.

    `family`: a family's name or the path of a column map, empty: recognised by content. `device`, `quantity`, `unit`:
    where the file names none. `zone`: of the city.
    """

    family: str = ""
    device: str = ""
    quantity: str = ""
    unit: str = ""
    zone: ZoneInfo | None = None
    unasked: dict[str, int] = field(default_factory=dict)  # names of values that were passed over, and how many


def families() -> list[str]:
    """All family names."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


@cache
def family(name: str) -> RecordedFamily:
    """A family. Raises UsageError for an unknown name, and for a file that is not right."""
    if name not in families():
        raise UsageError(
            f"There is no family '{name}' of recorded files; {nearest(name, families())}"
            " For other files write a column map and name it: --as map.toml"
        )
    return load(FOLDER / f"{name}.toml", RecordedFamily, "family of recorded files")


def read(path: Path, how: How | None = None) -> Iterator[Chunk]:
    """The rows of a file. Raises UsageError where it cannot be read or nothing fits it."""
    how = how or How()
    if not how.family:
        header = find_header(path, lambda names: recorded.layout(names) is not None) if _may_be_csv(path) else None
        if header is not None:
            wanted = recorded.layout(header.names)
            assert wanted is not None  # noqa: S101 - for mypy: it was found by this
            yield from recorded.arranged(path, header, wanted)
            return
    for name, layout, header, devices in _fitting(path, how):
        arranger = Arranger(_completed(path, layout, how), name, devices, _zone(layout, how), how.unasked)
        for chunk in shape(layout.shape).read(path, header, layout.options, arranger.numbers(header.names)):
            yield arranger.arranged(chunk)


class _Fit(NamedTuple):
    """A layout that fits a file under one of the headers that it may have."""

    family: str
    layout: Columns
    header: Header
    devices: Mapping[str, str]


def _may_be_csv(path: Path) -> bool:
    return any(True for _ in shape("csv").headers(path, {}))


def _fitting(path: Path, how: How) -> list[_Fit]:
    """Family, layout and header that fit the file; several where it has several tables. Raises UsageError."""
    name, layouts, devices = _named(how.family) if how.family else ("", [], {})
    if how.family:
        found = [_Fit(name, layout, header, devices) for layout in layouts for header in _headers(path, layout)]
        if not found:
            raise UsageError(_misfit(path, name, layouts))
        return _same_family(found)
    every = [(n, layout) for n in families() for layout in family(n).layout if layout.has]
    found = [_Fit(n, layout, header, devices) for n, layout in every for header in _headers(path, layout)]
    if not found:
        raise UsageError(
            _almost(path)
            or f"{path}, line 1: the header must contain {', or '.join(map(','.join, LAYOUTS))}; and no family of"
            f" recorded files is recognised by these columns ({_shown(path)}). Name one with --as"
            f" ({', '.join(families())}), or write a column map (docs/recorded-files.md)."
        )
    best = max(found, key=lambda f: len(f.layout.has))
    return _same_family([f for f in found if f.family == best.family])


def _same_family(found: list[_Fit]) -> list[_Fit]:
    """Of each header the layout that needs most columns; the headers of a text file are lines, of which one is it."""
    best: dict[tuple[str, ...], _Fit] = {}
    for entry in sorted(found, key=lambda f: -len(f.layout.has)):
        best.setdefault(tuple(entry.header.names), entry)
    chosen = list(best.values())
    return chosen if chosen[0].header.line == 0 else chosen[:1]


def _headers(path: Path, layout: Columns) -> Iterator[Header]:
    """Headers of the file that have the columns by which the layout is recognised."""
    for header in shape(layout.shape).headers(path, layout.options):
        names = layout.header or header.names
        if len(names) == len(header.names) and all(_has(names, wanted) for wanted in needed(layout)):
            yield header._replace(names=list(names))


def needed(layout: Columns) -> list[str]:
    """The columns that must be there: those by which it is recognised, of the time and of the values."""
    found = [*layout.has, *([layout.time] if isinstance(layout.time, str) else layout.time)]
    if layout.session is not None:
        end = layout.session.end
        found += [layout.session.energy, *([end] if isinstance(end, str) else end or [])]
    found += [name for name in (layout.name, layout.value) if name is not None]
    return list(dict.fromkeys(found))


def _has(names: list[str], wanted: str) -> bool:
    return wanted in names or any(fnmatchcase(name, wanted) for name in names)


def _named(text: str) -> tuple[str, list[Columns], Mapping[str, str]]:
    """Name, layouts and devices of a family or of an operator's column map. Raises UsageError."""
    if not text.endswith(".toml"):
        return text, family(text).layout, {}
    path = Path(text)
    said = load(path, ColumnMap, "column map")
    if said.family is None:
        return path.stem, [_made({}, said.columns, path)], said.devices
    layouts = [layout.model_dump(exclude_unset=True) for layout in family(said.family).layout]
    return said.family, [_made(under, said.columns, path) for under in layouts], said.devices


def _made(under: dict[str, Any], over: dict[str, Any], path: Path) -> Columns:
    both = {
        k: {**under[k], **v} if isinstance(v, dict) and isinstance(under.get(k), dict) else v for k, v in over.items()
    }
    try:
        return Columns.model_validate({**under, **both})
    except ValidationError as error:
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        name = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            raise UsageError(f"{path}: unknown key 'columns.{name}'; {nearest(name, Columns.model_fields)}") from None
        reason = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{path}: columns{'.' if name else ''}{name}: {reason}.") from None


def _almost(path: Path) -> str:
    """Which columns of CityVitals' own files are missing where most of them are there; empty for every other file."""
    header = next(iter(shape("csv").headers(path, {})), None)
    if header is None:
        lines = map(bytes.strip, start(path).split(b"\n"))
        is_empty = all(line == b"" or line.startswith(b"#") for line in lines)
        return f"{path} has no rows: the file is empty, or has comments only." if is_empty else ""
    found = [name.lower() for name in header.names]
    for known in LAYOUTS:
        missing, others = [n for n in known if n not in found], [n for n in found if n not in known]
        if len(missing) > len(known) // 2:
            continue
        rename = [f"'{near[0]}' to {n}" for n in missing if (near := get_close_matches(n, others, 1))]
        todo = f"; rename {' and '.join(rename)}" if rename else ""
        return (
            f"{path}, line {header.line}: the header must contain {','.join(known)}; {', '.join(missing)}"
            f" {'is' if len(missing) == 1 else 'are'} missing{todo}."
        )
    return ""


def _misfit(path: Path, name: str, layouts: list[Columns]) -> str:
    wanted = "; or ".join(", ".join(needed(layout)) for layout in layouts)
    return f"{path} is not a file of '{name}': it must have the columns {wanted}. It begins with {_shown(path)}."


def _shown(path: Path) -> str:
    found = next(iter(shape("csv").headers(path, {})), None)
    return ", ".join(found.names)[:200] if found else "no line of columns"


def _completed(path: Path, layout: Columns, how: How) -> Columns:
    """A layout with device, quantity and unit of the command. Raises UsageError where they are needed and missing."""
    made = layout.model_copy(update={"device": how.device} if how.device else {})
    if made.device is None:
        raise UsageError(f"{path} names no device: add --device ID.")
    if made.value is not None and made.name is None:
        if not how.quantity or not how.unit:
            raise UsageError(f"{path} names no quantity: add --quantity and --unit, as --quantity power --unit W.")
        return _made(made.model_dump(exclude_unset=True), {"values": _one(made.value, how), "value": None}, path)
    if how.quantity:
        raise UsageError(f"{path} says itself what its values are: leave --quantity out.")
    return made


def _one(column: str, how: How) -> dict[str, Any]:
    return {column: {"quantity": how.quantity, "unit": how.unit}}


def _zone(layout: Columns, how: How) -> ZoneInfo | None:
    if layout.zone is None or layout.zone == "city":
        return how.zone if layout.zone else None
    if layout.zone not in available_timezones():
        raise UsageError(
            f"zone '{layout.zone}' is not a time zone of the tz database; {nearest(layout.zone, available_timezones())}"
        )
    return ZoneInfo(layout.zone)
