"""JSON, also as embedded C prints it: bare nan and inf, zeros before a number, NUL bytes at the end, several objects.

What is not finite costs its value only. Read with a device template or the keys of a source.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from gateway.formats import Read
from telemetry.errors import Rejected, UsageError

# A string, or what C prints for a number and JSON does not allow.
_TOKEN = re.compile(
    r'"(?:[^"\\]|\\.)*"|(?P<bad>[+-]?(?:nan|inf(?:inity)?)\b(?:\([^)]*\))?)|(?P<zeros>-?\b0+(?=\d))', re.I | re.S
)
_BLANK = " \t\r\n\0\ufeff"
_decoder = json.JSONDecoder()  # of several documents
_decode = msgspec.json.Decoder().decode


def reader(options: dict[str, Any]) -> Read:
    """A reader. `pairs`: a list of objects whose `name` and value become members. Raises UsageError for others."""
    if not options:
        return read
    if set(options) - {"pairs", "name"} or "pairs" not in options:
        raise UsageError("The format 'json' has the options `pairs` and `name`.")
    pairs, name = str(options["pairs"]), str(options.get("name", "name"))

    def read_pairs(payload: bytes, levels: dict[str, str]) -> list[Any]:
        return [_with_pairs(document, pairs, name) for document in read(payload, levels)]

    return read_pairs


def read(payload: bytes, levels: dict[str, str]) -> list[Any]:
    """The values of a payload, one or several; what the topic names (`{name}`) under that name. Raises Rejected."""
    try:
        found = [_decode(payload)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            found = _documents(_TOKEN.sub(_as_json, payload.decode("utf-8").strip(_BLANK)))
        except (ValueError, RecursionError) as error:
            raise Rejected(f"not JSON: {error}") from error
    name = levels.get("name")
    if name is None:
        return found
    return [{name: f} if not isinstance(f, dict) or "value" in f or "result" in f else f for f in found]


def _with_pairs(document: Any, pairs: str, name: str) -> Any:  # noqa: ANN401
    """An object whose list of named values became members of it."""
    listed = document.get(pairs) if isinstance(document, dict) else None
    if not isinstance(listed, list):
        return document
    members = {p[name]: p for p in listed if isinstance(p, dict) and isinstance(p.get(name), str)}
    return {**{k: v for k, v in document.items() if k != pairs}, **members}


def _as_json(found: re.Match[str]) -> str:
    """A token as JSON (and Python's reading of it) writes it."""
    bad, zeros = found["bad"], found["zeros"]
    if bad:
        minus = "-" if bad[0] == "-" else ""
        return f"{minus}Infinity" if "inf" in bad.lower() else "NaN"
    return found[0] if zeros is None else zeros.rstrip("0")


def _documents(text: str) -> list[Any]:
    """One object after the other, as loggers that write lines send them."""
    found, place = [], 0
    while place < len(text):
        document, place = _decoder.raw_decode(text, place)
        found.append(document)
        while place < len(text) and text[place] in _BLANK + ",":
            place += 1
    if not found:
        raise ValueError("the payload is empty")
    return found
