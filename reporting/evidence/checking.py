"""`cityvitals verify`: the signature, every file, the roots, and every derived value of a signed pack.

Only the pack is needed: no store, no network. Windows made elsewhere, from readings, can be compared with the
enclosed ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from registry.city import City
from reporting.evidence import canonical
from reporting.evidence.enclosed import METHOD, Enclosure, Group, roots_of, unpacked, windows_of
from reporting.evidence.enclosed import SCHEMA as WINDOWS_SCHEMA
from reporting.evidence.keys import fingerprint, is_signed
from reporting.evidence.manifest import (
    MANIFEST,
    SCHEMA,
    SIGNATURE,
    WINDOWS,
    Manifest,
    Value,
    values_of,
    values_root,
)
from reporting.evidence.recomputed import periods_of, recomputed
from telemetry.errors import UsageError, cause
from telemetry.kpi_value import KpiValue
from telemetry.partials import Partials
from telemetry.periods import iso, parse_period
from telemetry.series import SeriesTable

_SHOWN = 20


class Checked(msgspec.Struct, kw_only=True):
    """The result: what was checked, and a sentence for everything that is wrong."""

    city: str = ""
    period: str = ""
    fingerprint: str = ""
    files: int = 0
    windows: int = 0
    values: int = 0
    readings_compared: int = 0
    wrong: list[str] = []


class Pack(msgspec.Struct, frozen=True, kw_only=True):
    """A pack that was read."""

    manifest: Manifest
    enclosure: Enclosure
    city: City


def check(folder: Path, expected: str | None) -> tuple[Checked, Pack | None]:
    """Check a pack. `expected`: the fingerprint of its key, or None. Raises UsageError where it is not a signed pack.

    The second item is the pack, None where it is too damaged to be derived from.
    """
    raw = _read(folder / MANIFEST)
    result = Checked()
    try:
        manifest = canonical.decode(raw, Manifest)
    except ValueError as error:
        result.wrong.append(f"{MANIFEST}: {error}")
        return result, None
    if manifest.schema != SCHEMA:
        raise UsageError(f"{MANIFEST} has schema {manifest.schema}; this program reads {SCHEMA}.")
    result.city, result.period = manifest.city, manifest.period
    result.wrong += _signature(manifest, raw, _read(folder / SIGNATURE), expected, result)
    result.wrong += _files(folder, manifest, result)
    pack = _opened(folder, manifest, result)
    if pack:
        result.wrong += _roots(pack, result)
        result.wrong += _values(pack, result)
    return result, pack


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {cause(error)}. A signed pack is made by `kpi pack --sign KEY`."
        ) from None


def _signature(m: Manifest, raw: bytes, signature: bytes, expected: str | None, result: Checked) -> Iterator[str]:
    try:
        public = bytes.fromhex(m.public_key)
    except ValueError:
        yield f"{MANIFEST}: public_key is not hexadecimal"
        return
    result.fingerprint = fingerprint(public)
    if not is_signed(public, signature, raw):
        yield f"{SIGNATURE} is not the signature of {MANIFEST} by the key in it"
    if expected is not None and expected != result.fingerprint:
        yield f"the pack is signed with the key {result.fingerprint}, not with {expected}"


def _files(folder: Path, manifest: Manifest, result: Checked) -> Iterator[str]:
    listed = {f.name: f for f in manifest.files}
    there = {p.name for p in folder.iterdir()} - {MANIFEST, SIGNATURE}
    yield from (f"{name} is in the folder and not in the manifest" for name in sorted(there - listed.keys()))
    for name, entry in listed.items():
        if name not in there:
            yield f"{name} is missing"
            continue
        try:
            content = (folder / name).read_bytes()
        except OSError as error:
            yield f"{name} cannot be read: {cause(error)}"
            continue
        result.files += 1
        if len(content) != entry.bytes or hashlib.sha256(content).hexdigest() != entry.sha256:
            yield f"{name} is not the file that was signed"


def _opened(folder: Path, manifest: Manifest, result: Checked) -> Pack | None:
    try:
        enclosure = canonical.decode((folder / WINDOWS).read_bytes(), Enclosure)
        if enclosure.schema != WINDOWS_SCHEMA:
            raise ValueError(f"it has schema {enclosure.schema}; this program reads {WINDOWS_SCHEMA}")
        return Pack(manifest=manifest, enclosure=enclosure, city=City.model_validate(enclosure.city))
    except (OSError, ValueError) as error:
        result.wrong.append(f"{WINDOWS}: {error}")
        return None


def _roots(pack: Pack, result: Checked) -> Iterator[str]:
    try:
        found = {(r.device, r.month): r for r in roots_of(pack.enclosure.groups, pack.enclosure.width)}
    except (ValueError, OverflowError) as error:
        yield f"{WINDOWS}: {error}"
        return
    signed = {(r.device, r.month): r for r in pack.manifest.windows}
    result.windows = sum(r.windows for r in found.values())
    for place in sorted(found.keys() | signed.keys()):
        if found.get(place) != signed.get(place):
            yield f"the windows of {place[0]} in {place[1]} are not those that were signed"


def _values(pack: Pack, result: Checked) -> Iterator[str]:
    signed = pack.manifest.values
    if values_root(signed) != pack.manifest.values_root:
        yield f"{MANIFEST}: values_root is not the root of its values"
    try:
        again = _derived(pack, pack.enclosure.groups)
    except (ValueError, KeyError, OverflowError) as error:
        yield f"the values cannot be derived from {WINDOWS}: {error}"
        return
    result.values = len(signed)
    revisions = {(v.code, v.part, v.period): v.revision for v in signed}
    yield from differences(signed, values_of(again, revisions), "the enclosed windows give")


def differences(signed: Sequence[Value], derived: Sequence[Value], what: str) -> Iterator[str]:
    """A sentence for each value that differs in any field; in `value`, by a single bit."""
    given = {v.name: v for v in derived}
    for value in signed:
        other = given.pop(value.name, None)
        if other is None:
            yield f"{value.name}: the pack says {value.value!r}; {what} no such value"
        elif other != value:
            names = [n for n in Value.__struct_fields__ if getattr(other, n) != getattr(value, n)]
            shown = next((n for n in names if n != "bits"), "bits")
            yield f"{value.name}: {shown} is {getattr(value, shown)!r} in the pack; {what} {getattr(other, shown)!r}"
    yield from (f"{name}: {what} a value that the pack does not have" for name in given)


def _derived(pack: Pack, groups: Sequence[Group]) -> list[KpiValue]:
    table = SeriesTable()
    table.set_rollovers(pack.city.id, pack.city.rollovers)
    windows = windows_of(groups, pack.city.id, table)
    periods = periods_of(pack.city, parse_period(pack.manifest.period, pack.city.zone))
    return recomputed(pack.city, windows, table, periods, pack.manifest.as_of)


def compare_readings(pack: Pack, windows: Partials, table: SeriesTable, result: Checked) -> None:
    """Compare the enclosed windows with those that were made from readings, and list which values would change.

    `windows`: of the same city and width. Series without any reading in the files are not compared.
    """
    made = {(s.device, s.quantity): i for i, s in enumerate(table.all)}
    changed, sentences = [], list[str]()
    for group in pack.enclosure.groups:
        series = made.get((group.device, group.quantity))
        mine = windows.take(windows.series == series) if series is not None else Partials.empty()
        if not len(mine):
            changed.append(group)
            continue
        result.readings_compared += group.rows
        found, new = _compared(group, {int(t): i for i, t in enumerate(mine.start.tolist())}, mine)
        sentences += found
        changed.append(new)
    sentences += _not_enclosed(pack, windows, made)
    result.wrong += sentences[:_SHOWN]
    if len(sentences) > _SHOWN:
        result.wrong.append(f"and {len(sentences) - _SHOWN} more windows differ")
    if sentences:
        revisions = {(v.code, v.part, v.period): v.revision for v in pack.manifest.values}
        derived = values_of(_derived(pack, changed), revisions)
        result.wrong += differences(pack.manifest.values, derived, "with the windows of these readings it is")


def _not_enclosed(pack: Pack, windows: Partials, made: Mapping[tuple[str, str], int]) -> Iterator[str]:
    """A sentence for each window of the period that the readings make and the pack does not have."""
    period = parse_period(pack.manifest.period, pack.city.zone)
    by_series: dict[tuple[str, str], set[int]] = {}
    for group in pack.enclosure.groups:
        by_series.setdefault((group.device, group.quantity), set()).update(unpacked(group)["start"].tolist())
    for place, starts in by_series.items():
        mine = windows.start[windows.series == made.get(place, -1)]
        for start in mine[(mine >= period.start) & (mine < period.end)].tolist():
            if start not in starts:
                yield f"{place[1]} of {place[0]}, window {iso(start)}: the files have readings, the pack has none"


def _compared(group: Group, at: dict[int, int], mine: Partials) -> tuple[list[str], Group]:
    """Sentences for the windows that differ, and the group as the readings make it."""
    columns = unpacked(group)
    sentences, rows = [], {name: list[Any]() for name in columns}
    different: dict[int, str] = {}
    for i, start in enumerate(columns["start"].tolist()):
        place = at.get(start)
        if place is None:
            sentences.append(f"{_place(group, start)}: the pack has {columns['n'][i]} readings, the files have none")
            continue
        for name in columns:
            old, new = columns[name][i].item(), getattr(mine, name)[place].item()
            rows[name].append(None if new != new else new)  # noqa: PLR0124 - NaN
            if old != new and not (old != old and new != new):  # noqa: PLR0124
                text = f"{_place(group, start)}: {name} is {old!r} in the pack, {new!r} from the readings"
                different.setdefault(start, text)
    return [*sentences, *different.values()], msgspec.structs.replace(group, rows=len(rows["start"]), columns=rows)


def _place(group: Group, start: int) -> str:
    return f"{group.quantity} of {group.device}, window {iso(start)}"


def as_text(result: Checked) -> str:
    """The result for people."""
    head = [
        f"pack       {result.city}, {result.period}",
        f"key        {result.fingerprint}",
        f"files      {result.files:,} compared with the manifest",
        f"windows    {result.windows:,} under their Merkle roots ({METHOD})",
        f"values     {result.values:,} derived from the enclosed windows",
    ]
    if result.readings_compared:
        head.append(f"readings   {result.readings_compared:,} windows compared with those of the files")
    end = [f"WRONG      {sentence}." for sentence in result.wrong] or ["valid      everything agrees to the last bit"]
    return "\n".join([*head, *end]) + "\n"
