"""Sparkplug B: protobuf payloads of birth and data messages, read by their wire format.

A birth message gives names to the numbers (aliases) that data messages use; they are cached for each edge node and
device. Metrics of one time become one object `{"timestamp", "metrics": {name: {"value", "unit"}}}`; historical ones
keep their own time, null and transient ones are left out. Topic level `kind` is NBIRTH, DBIRTH, NDATA, DDATA ...
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from gateway.decoding.decoded import Asks
from gateway.formats import Read
from telemetry.errors import Rejected, UsageError

NEEDS_OTHERS = True
_MOST, _LONGEST = 100_000, 256  # names that are kept, and their length
# {metrics: [{name: "Node Control/Rebirth", datatype: Boolean, boolean_value: true}]}
_NAME = b"Node Control/Rebirth"
_METRIC = b"\x0a" + bytes([len(_NAME)]) + _NAME + b"\x20\x0b\x70\x01"
_REBIRTH = b"\x12" + bytes([len(_METRIC)]) + _METRIC
_SIGNED = {1: 8, 2: 16, 3: 32, 4: 64}  # data types Int8 to Int64 and their bits


def reader(options: dict[str, Any]) -> Read:
    """A reader that caches the names from birth messages. Raises UsageError: there are no options."""
    if options:
        raise UsageError("The format 'sparkplug' has no options.")
    names: dict[tuple[str, str, str, int], tuple[str, str | None]] = {}

    def read(payload: bytes, levels: dict[str, str]) -> list[Any]:
        kind = levels.get("kind", "")
        if kind not in ("NBIRTH", "DBIRTH", "NDATA", "DDATA"):
            return []
        place = levels.get("group", ""), levels.get("edge", ""), levels.get("device", "")
        sent, metrics = _payload(payload)
        by_time: dict[int | None, dict[str, Any]] = {}
        for metric in metrics:
            alias = metric.get("alias")
            name, unit = metric.get("name"), metric.get("unit")
            if kind.endswith("BIRTH") and alias is not None and name and len(name) <= _LONGEST and len(names) < _MOST:
                names[(*place, alias)] = name, unit
            if not name and alias is not None:
                if (*place, alias) not in names:
                    raise _unborn(alias, levels)
                name, unit = names[(*place, alias)]
            if name and "value" in metric and not metric.get("transient"):
                at = metric.get("timestamp", sent)
                by_time.setdefault(at, {})[name] = {"value": metric["value"], **({"unit": unit} if unit else {})}
        return [{"timestamp": at, "metrics": found} for at, found in by_time.items()]

    return read


def _unborn(alias: int, levels: dict[str, str]) -> Asks:
    """A metric whose birth message was not seen; a rebirth of the edge node is requested."""
    topic = f"spBv1.0/{levels.get('group', '')}/NCMD/{levels.get('edge', '')}"
    return Asks(f"metric {alias} has no name yet: its birth message has not been seen", topic, _REBIRTH)


def _payload(data: bytes) -> tuple[int | None, list[dict[str, Any]]]:
    sent, metrics = None, []
    for field, value in _fields(data):
        if field == 1 and isinstance(value, int):
            sent = value
        elif field == 2 and isinstance(value, bytes):
            metrics.append(_metric(value))
    return sent, metrics


_NAMES = {2: "alias", 3: "timestamp", 4: "datatype", 5: "historical", 6: "transient", 7: "null"}


def _metric(data: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    raw: tuple[int, Any] | None = None
    for field, value in _fields(data):
        if field == 1 and isinstance(value, bytes):
            found["name"] = value.decode("utf-8", "replace")
        elif field in _NAMES:
            found[_NAMES[field]] = value
        elif field == 9 and isinstance(value, bytes):
            found |= _properties(value)
        elif 10 <= field <= 15:
            raw = field, value
    if raw is not None and not found.get("null"):
        found["value"] = _value(*raw, found.get("datatype", 0))
    return found


def _value(field: int, value: Any, datatype: int) -> Any:  # noqa: ANN401
    if field in (12, 13) and isinstance(value, bytes):
        if len(value) != (4 if field == 12 else 8):
            raise Rejected("not Sparkplug B: a number of another size than its kind")
        return struct.unpack("<f" if field == 12 else "<d", value)[0]
    if field == 14:
        return bool(value)
    if field == 15 and isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    bits = _SIGNED.get(datatype)
    if bits and isinstance(value, int):
        value &= (1 << bits) - 1
        return value - (1 << bits) if value >> (bits - 1) else value
    return value


def _properties(data: bytes) -> dict[str, Any]:
    keys, values = [], []
    for field, value in _fields(data):
        if field == 1 and isinstance(value, bytes):
            keys.append(value.decode("utf-8", "replace"))
        elif field == 2 and isinstance(value, bytes):
            values.append(next((v for f, v in _fields(value) if f == 8), None))
    said = dict(zip(keys, values, strict=False))
    unit = next((said[k] for k in ("engUnit", "units", "unit") if isinstance(said.get(k), bytes)), None)
    return {"unit": unit.decode("utf-8", "replace")} if isinstance(unit, bytes) else {}


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field numbers and values of one protobuf message. Raises Rejected where it ends too early."""
    place = 0
    while place < len(data):
        tag, place = _varint(data, place)
        wire = tag & 7
        if wire == 0:
            value, place = _varint(data, place)
            yield tag >> 3, value
            continue
        if wire == 2:
            size, place = _varint(data, place)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise Rejected(f"not Sparkplug B: wire type {wire}")
        if place + size > len(data):
            raise Rejected("not Sparkplug B: the message ends too early")
        yield tag >> 3, data[place : place + size]
        place += size


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, place
        shift += 7
    raise Rejected("not Sparkplug B: the message ends too early")
