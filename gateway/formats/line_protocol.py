"""InfluxDB line protocol: `measurement,tag=a field=1,other=2i 1700000000000000000`.

A line is an object with `measurement`, `tags`, `fields` and `time`. Options: `precision` (ns, us, ms or s; a topic's or
a request's own wins); `name_tag` and `value`: the field `value` takes the name of a tag, and the measurement is its
unit, as Home Assistant writes.
"""

from __future__ import annotations

import re
from typing import Any

from gateway.formats import Read
from telemetry.errors import Rejected, UsageError

_TO_SECONDS = {"ns": 1e9, "n": 1e9, "us": 1e6, "u": 1e6, "ms": 1e3, "s": 1.0, "m": 1 / 60, "h": 1 / 3600}
_PART = re.compile(r'(?:\\.|"(?:[^"\\]|\\.)*"|[^ \\"])+')
_COMMA = re.compile(r'(?:\\.|"(?:[^"\\]|\\.)*"|[^,\\"])+')
_EQUALS = re.compile(r"(?<!\\)=")
_ESCAPE = re.compile(r"\\([,= \"\\])")
_WHOLE = re.compile(r"[+-]?\d+[iu]")
_WORDS = {"t": True, "T": True, "true": True, "True": True, "TRUE": True}
_WORDS |= {"f": False, "F": False, "false": False, "False": False, "FALSE": False}


def reader(options: dict[str, Any]) -> Read:
    """A reader with these options. Raises UsageError for others."""
    precision = str(options.get("precision", "ns"))
    if set(options) - {"precision", "name_tag", "value"} or precision not in _TO_SECONDS:
        raise UsageError("The format 'line_protocol' has the options `precision` (ns, us, ms, s), `name_tag`, `value`.")
    name_tag, value = options.get("name_tag"), options.get("value", "value")

    def read(payload: bytes, levels: dict[str, str]) -> list[Any]:
        per_second = _TO_SECONDS.get(levels.get("precision", precision), 1e9)
        try:
            lines = payload.decode("utf-8").splitlines()
        except UnicodeDecodeError as error:
            raise Rejected(f"not text: {error}") from error
        found = [_line(line, per_second) for line in lines if line.strip() and not line.startswith("#")]
        return found if name_tag is None else [_named(f, name_tag, value) for f in found]

    return read


def _named(line: dict[str, Any], tag: str, value: str) -> dict[str, Any]:
    name = line["tags"].get(tag)
    if name is None or value not in line["fields"]:
        return {**line, "fields": {}}
    return {**line, "fields": {name: {"value": line["fields"][value], "unit": line["measurement"]}}}


def _line(line: str, per_second: float) -> dict[str, Any]:
    parts = _PART.findall(line.strip())
    if not 2 <= len(parts) <= 3:
        raise Rejected(f"not line protocol: '{line[:60]}'")
    measurement, *tags = _COMMA.findall(parts[0]) or [""]
    found: dict[str, Any] = {
        "measurement": _plain(measurement),
        "tags": dict(_pair(tag) for tag in tags),
        "fields": {name: _value(text) for name, text in map(_pair, _COMMA.findall(parts[1]))},
    }
    if len(parts) == 3:
        try:
            found["time"] = int(parts[2]) / per_second
        except (ValueError, OverflowError):
            raise Rejected(f"not line protocol: the time '{parts[2][:30]}' is not a whole number") from None
    return found


def _pair(text: str) -> tuple[str, str]:
    cut = _EQUALS.search(text)
    if cut is None:
        raise Rejected(f"not line protocol: '{text[:40]}' is not name=value")
    return _plain(text[: cut.start()]), text[cut.end() :] if text[cut.end() :][:1] == '"' else _plain(text[cut.end() :])


def _plain(text: str) -> str:
    return _ESCAPE.sub(r"\1", text)


def _value(text: str) -> Any:  # noqa: ANN401 - numbers, texts, truth values
    if text[:1] == '"':
        return text[1:-1]
    if text in _WORDS:
        return _WORDS[text]
    try:
        return int(text[:-1]) if _WHOLE.fullmatch(text) else float(text)
    except ValueError:
        raise Rejected(f"not line protocol: '{text[:40]}' is not a value") from None
