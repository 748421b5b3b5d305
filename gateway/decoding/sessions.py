"""Charging sessions as readings: the energy counts whole at the start, the connected time where it passed. Pure."""

from __future__ import annotations

from hashlib import blake2b

from gateway.decoding.decoded import Decoded
from telemetry.windows import HOUR, window_start

LONGEST = 90 * 24 * HOUR  # in a longer "session" the end was lost
MOST_ROWS = 20_000  # of one message: nine of the longest sessions, or two years of sessions overnight


def session_key(*identity: object, secret: bytes = b"") -> int:
    """A stable positive 63-bit number that identifies a session among those of one charger and start.

    `secret`: the city's key; with it, the identity cannot be found by trying.
    """
    text = "|".join(map(str, identity))
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8, key=secret).digest()
    return int.from_bytes(digest, "big") >> 1 or 1


def add_session(out: Decoded, start: int, end: int | None, energy: float, unit: str | None, key: int) -> None:
    """Add a session's energy at `start` and its connected seconds, split at UTC hours. Times in ms UTC.

    A session without an end, or with an impossible one, adds no connected time.
    """
    out.add("session_energy", unit, energy, start, key)
    if end is None:
        return
    if not start <= end <= start + LONGEST:
        out.problems.append("session that ends before it starts or lasts over 90 days: its connected time is left out")
        return
    if len(out.rows) + (end - start) // HOUR > MOST_ROWS:
        out.problems.append(f"over {MOST_ROWS} hours of sessions in one message: connected time is left out")
        return
    at = start
    while at < end:
        until = min(window_start(at, HOUR) + HOUR, end)
        out.add("connected_time", "s", (until - at) / 1000, at, key)
        at = until
