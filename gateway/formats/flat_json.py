"""A flat JSON object per message, as most Wi-Fi sensors send.

`{"time": ..., "pm2_5": 12.3, "no2": {"value": 5, "unit": "ppb"}}`

`time`: RFC 3339 with a zone, or seconds (or milliseconds) since 1970; without it the arrival counts. Names that are
no catalogue quantity are renamed or ignored by the source's configuration, else reported. A charging session is
`session_energy` with `session` (its identity) and `end`. `boot` and `seq` number the messages of a device, so that
the loss ledger can count them.
"""

from __future__ import annotations

import json
import math
from datetime import datetime
from typing import Any

import msgspec

from gateway.decoded import BY_ARRIVAL, LARGEST, Decoded, SourceOptions, clock_problem
from gateway.sessions import add_session, session_key
from telemetry.errors import Rejected

_RESERVED = frozenset({"session", "end", "boot", "seq"})


def decode(payload: bytes, arrival: int, options: SourceOptions) -> Decoded:
    """Rows of one object; none, and the reason, where its time cannot be used. Raises Rejected for no JSON object."""
    message = _object(payload)
    given = message.pop(options.time_key, None)
    out = Decoded(by_arrival=given is None, records=_numbers(message, options.ignore))
    try:
        t = arrival if given is None else parse_time(given)
    except Rejected as reason:
        out.problems.append(str(reason))
        return out
    problem = clock_problem(t, arrival)
    if problem:
        out.problems.append(problem)
        return out
    for name, item in message.items():
        quantity = options.rename.get(name, name)
        if name in options.ignore or name in _RESERVED:
            continue
        value, unit = (item.get("value"), item.get("unit")) if isinstance(item, dict) else (item, None)
        _add(out, quantity, value, unit, t, message, options.secret)
    return out


def _object(payload: bytes) -> dict[str, Any]:
    try:
        message: Any = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            message = json.loads(payload)  # takes NaN, so that the rest of the object can be stored
        except (ValueError, RecursionError) as error:
            raise Rejected(f"not JSON: {error}") from error
    if not isinstance(message, dict):
        raise Rejected("flat_json must be one JSON object")
    return message


def _numbers(message: dict[str, Any], ignore: frozenset[str]) -> list[tuple[int, int]]:
    """The record's boot and number, for the loss ledger; also of one that cannot be used, which is not missing.

    None where the source ignores either: other makes use these names for a reset reason or a counter of their own.
    """
    if not ignore.isdisjoint(("boot", "seq")):
        return []
    boot, seq = message.get("boot"), message.get("seq")
    for number in (boot, seq):
        if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number < LARGEST:
            return []
    return [(boot, seq)]  # type: ignore[list-item] # both are int here


def _add(
    out: Decoded, quantity: str, value: object, unit: object, t: int, message: dict[str, Any], secret: bytes
) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        out.problems.append(f"'{quantity}' has no numeric value")
    elif unit is not None and not isinstance(unit, str):
        out.problems.append(f"'{quantity}' has a unit that is no text")
    elif quantity == "session_energy":
        identity = message.get("session")
        end = _end(message.get("end"), out)
        unnamed = BY_ARRIVAL if out.by_arrival else 0
        key = session_key(identity, secret=secret) if identity is not None else unnamed
        add_session(out, t, end, _float(value), unit, key)
    else:
        out.add(quantity, unit, _float(value), t, BY_ARRIVAL if out.by_arrival else 0)


def _end(given: object, out: Decoded) -> int | None:
    """When a session ended; one that cannot be read costs the connected time, not the energy."""
    if given is None:
        return None
    try:
        return parse_time(given)
    except Rejected as reason:
        out.problems.append(f"'end' of a session is no time ({reason}): its connected time is left out")
        return None


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def parse_time(given: object) -> int:
    """Ms UTC of RFC 3339 text, or of seconds or milliseconds since 1970. Raises Rejected."""
    if isinstance(given, str):
        try:
            moment = datetime.fromisoformat(given)
        except ValueError as error:
            raise Rejected(f"'{given[:40]}' is no RFC 3339 time") from error
        if moment.tzinfo is None:
            raise Rejected(f"time '{given[:40]}' has no zone; write it in UTC with a Z")
        return round(moment.timestamp() * 1000)
    if isinstance(given, bool) or not isinstance(given, int | float) or not -1e15 < given < 1e15:
        raise Rejected("the time is neither RFC 3339 text nor seconds since 1970")
    return round(given * 1000) if abs(given) < 1e11 else round(given)
