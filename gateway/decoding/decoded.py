"""What a payload format gives: measured values as columns, and the parts that are not usable, with the reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from telemetry.errors import Rejected
from telemetry.periods import iso
from telemetry.windows import AHEAD, EARLIEST

__all__ = [
    "AHEAD",
    "BY_ARRIVAL",
    "EARLIEST",
    "LARGEST",
    "MOST_BOOTS",
    "MOST_RECORDS",
    "SAME_DEVICE",
    "Asks",
    "Decoded",
    "Line",
    "Row",
    "SourceOptions",
    "check_records",
    "clock_problem",
    "full_device",
]

RECORDED = -631_152_000_000  # 1950-01-01: recorded data may be of any year from then on
LARGEST = 2**53  # boot and seq are below: whole numbers that every JSON reader keeps
MOST_RECORDS, MOST_BOOTS = 5000, 64  # that one message may number
SAME_DEVICE = "/"  # in front of a channel: one of several meters of the device that the topic names
BY_ARRIVAL = -1  # the key of a row that was dated by its arrival; the core replaces it by a unique one


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How one source's payloads are to be read. `rename`: device's name -> quantity; `ignore`: names to pass over.

    `secret`: the key under which what identifies a session is hashed. `retained`: what becomes of a message that the
    broker kept from before and that has no time of its own: "refuse", "skip" or "take". `names`: filled by a format
    that looks names up once: a name as it is sent -> quantity.
    """

    rename: dict[str, str] = field(default_factory=dict)
    ignore: frozenset[str] = frozenset()
    time_key: str = "time"
    secret: bytes = b""
    retained: str = "refuse"
    names: dict[str, str] = field(default_factory=dict, compare=False, repr=False)


class Asks(Rejected):
    """A message that cannot be used until its sender has sent another. `topic`, `payload`: the request for that."""

    def __init__(self, reason: str, topic: str, payload: bytes) -> None:
        super().__init__(reason)
        self.topic, self.payload = topic, payload


class Line(NamedTuple):
    """A numbered record of a device, for the loss ledger. `stored`: something of it could be used; None: it has not
    come, but the device reports that it was the last of its boot. `undated`: it was dated by its arrival.
    """

    city: str
    device: str
    boot: int
    seq: int
    stored: bool | None
    undated: bool = False


# quantity, unit (None: the catalogue unit), value, time in ms UTC, key (0, the identity of an event, or BY_ARRIVAL),
# and the number of the sender's record it was in (-1 for none). A plain tuple: this is made for every reading.
Row = tuple[str, str | None, float, int, int, int]


Frames = tuple[frozenset[str], ...]


@dataclass(slots=True)
class Decoded:
    """What one message holds. `records`: (boot, seq) of the sender's records, to which rows point. `ended`: (boot, last
    seq) of boots that are over.

    `by_arrival`: times were calculated from the arrival, so that the same message later would give other times.
    `device`: whose rows these are, where the message names it; `more`: those of other devices in the same message.
    `unasked`: names of numbers that no quantity is mapped to.
    """

    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    by_arrival: bool = False
    records: list[tuple[int, int]] = field(default_factory=list)
    ended: tuple[tuple[int, int], ...] = ()
    device: str | None = None
    more: tuple[Decoded, ...] = ()
    unasked: list[str] = field(default_factory=list)
    frames: Frames | None = None

    def add(self, quantity: str, unit: str | None, value: float, t: int, key: int = 0) -> None:
        """Append one row."""
        self.rows.append((quantity, unit, value, t, key, len(self.records) - 1))

    @property
    def t(self) -> list[int]:
        """The rows' times."""
        return [row[3] for row in self.rows]

    @property
    def value(self) -> list[float]:
        """The rows' values."""
        return [row[2] for row in self.rows]


def full_device(named: str, of_topic: str) -> str:
    """The device of rows: what the message names, or a channel (`/flat-1`) of the topic's device: `s1.flat-1`."""
    return f"{of_topic}.{named[1:]}" if named.startswith(SAME_DEVICE) else named


def check_records(rows: Decoded) -> None:
    """Raise Rejected for more numbered records, or boots, than one message may name: each costs the ledger a row."""
    if len(rows.records) <= MOST_BOOTS:  # of which each has at most one end of a boot
        return
    if len(rows.records) > MOST_RECORDS:
        raise Rejected(f"{len(rows.records)} numbered records in one message; the limit is {MOST_RECORDS}")
    if len({boot for boot, _ in rows.records}) > MOST_BOOTS:
        raise Rejected(f"numbers of over {MOST_BOOTS} boots in one message")
    if len(rows.ended) > MOST_BOOTS:
        raise Rejected(f"{len(rows.ended)} ends of boots in one message; the limit is {MOST_BOOTS}")


def clock_problem(t: int, arrival: int, earliest: int = EARLIEST) -> str | None:
    """Why a time cannot be right, None when it can. `t` and `arrival` in ms UTC.

    `earliest`: of live data EARLIEST, an earlier time comes from a clock that was not set; of recorded data RECORDED.
    """
    if t < earliest:
        when = iso(t) if t > -62_000_000_000_000 else f"{t} ms"
        if earliest == RECORDED:
            return f"time {when} lies before 1950"
        return f"time {when} lies before 2004: the device's clock was not set"
    if t > arrival + AHEAD:
        when = iso(t) if t < 250_000_000_000_000 else f"{t} ms"
        return f"time {when} lies in the future: the device's clock is wrong"
    return None
