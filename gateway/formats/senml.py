"""SenML JSON (RFC 8428), as our nodes send it and as others do.

The name (`bn` followed by `n`, either may be absent) is a catalogue quantity after the last `:` or `/`; what stands
before that is ignored. A pack with a base version above 10 or with an unknown label that ends in `_` is rejected, as
section 4.4 requires; sums (`s`) and values that are not numbers are reported. Our extension labels: `seq` and `boot`
number a node's records; `pboot` and `pseq`, on the first record of a boot, name the last one of the boot before; `up`
(uptime in s when the reading was taken) with `sent` (uptime at sending) stand in for a clock that is not set; `key`
and `end` belong to a charging session.

Deviation: times between 0 and 2^28 are absolute here. RFC 8428 reads them as seconds from now, but a sensor that sends
such a time has a clock that starts at 1970, and its reading must not be dated into the future.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec

from gateway.decoding.decoded import (
    AHEAD,
    BY_ARRIVAL,
    EARLIEST,
    LARGEST,
    SAME_DEVICE,
    Decoded,
    SourceOptions,
    clock_problem,
)
from gateway.decoding.packs import PackReader
from gateway.decoding.plain import ReadPlain
from gateway.decoding.sessions import add_session, session_key
from telemetry.errors import Rejected, form
from telemetry.quantities import QUANTITIES


class Record(msgspec.Struct, gc=False):
    """One SenML record; labels we do not use are ignored, as the RFC requires."""

    bn: str = ""
    bt: float | None = None
    bu: str | None = None
    bv: float = 0.0
    bver: float | None = None
    n: str = ""
    u: str | None = None
    v: float | None = None
    s: float | None = None
    vs: Any = None
    vb: Any = None
    vd: Any = None
    bs: Any = None
    ut: Any = None
    t: float = 0.0
    boot: int | None = None
    seq: int | None = None
    pboot: int | None = None
    pseq: int | None = None
    up: float | None = None
    sent: float | None = None
    key: str | None = None
    end: float | None = None


_VERSION = 10
_NAMES, _LONGEST = 10_000, 128  # of one source that are looked up once
_CHANNEL = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)?")


class _KnownLabels(Record, forbid_unknown_fields=True, gc=False):
    """A record without other labels: so that the usual pack needs no second look at its labels."""


_known_labels = msgspec.json.Decoder(list[_KnownLabels])
_decoder = msgspec.json.Decoder(list[Record])


def decode(payload: bytes, arrival: int, options: SourceOptions) -> Decoded:
    """Rows of a SenML pack. Raises Rejected where it is not a JSON array."""
    out = Decoded()
    records: Sequence[Record]
    try:
        records = _known_labels.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        records = _any_labels(payload, out)
    numbered, base = _numbered(options), _Base(arrival)
    channels: dict[str, Decoded] = {}
    names, rows = options.names, out.rows
    for r in records:
        if r.bt is not None or r.bn or r.bu or r.bv or r.bver is not None or r.sent is not None or r.up is not None:
            base.update(r)
        if r.boot is not None and numbered:
            _number(r, out)
        quantity, value = names.get(base.prefix + r.n), r.v
        if quantity is not None and value is not None and base.valid_ms is not None and not r.t:
            rows.append((quantity, r.u or base.unit, value + base.value, base.valid_ms, 0, len(out.records) - 1))
        elif value is not None or r.n or not (r.s is None and r.vs is None and r.vb is None and r.vd is None):
            _row(r, base, _of_channel(out, r, base, channels), options)
    return out


def shortest(options: SourceOptions) -> ReadPlain:
    """The shortest way of a pack that holds plain values of one record."""

    def quantity_of(base: str, name: str) -> str | None:
        short = _short(_short(base) + name)
        short = options.rename.get(short, short)
        usual = short in QUANTITIES and short not in options.ignore and short != "session_energy"
        return short if usual and "/" not in name else None

    return PackReader(quantity_of, _numbered(options)).read


def _numbered(options: SourceOptions) -> bool:
    """Whether `boot` and `seq` number the records."""
    return not options.ignore or options.ignore.isdisjoint(("boot", "seq"))


def _number(r: Record, out: Decoded) -> None:
    """Note the number of a record, and which one was the last of the boot before."""
    if r.boot is not None and r.seq is not None and 0 <= r.boot < LARGEST and 0 <= r.seq < LARGEST:
        out.records.append((r.boot, r.seq))
        if r.pboot is not None and r.pseq is not None and 0 <= r.pboot < LARGEST and 0 <= r.pseq < LARGEST:
            out.ended = (*out.ended, (r.pboot, r.pseq))


def _any_labels(payload: bytes, out: Decoded) -> Sequence[Record]:
    """The records of a pack with unknown labels. Raises Rejected where one must be understood."""
    try:
        records = _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        records = _one_by_one(payload, out)
    if b'_"' in payload or b"\\u" in payload:
        _reject_unknown_labels(payload)
    return records


def _of_channel(out: Decoded, r: Record, base: _Base, channels: dict[str, Decoded]) -> Decoded:
    """Where a record's value belongs: to the device, or to one of the meters of a numbered node (`flat-3/voltage`).

    The numbers count records of the node, so that the meters' rows have none.
    """
    channel, slash, _ = r.n.rpartition("/")
    if not slash or not channel or not out.records or base.name or not _CHANNEL.fullmatch(channel):
        return out
    name = SAME_DEVICE + channel.replace("/", ".")
    if name not in channels:
        channels[name] = Decoded(device=name)
        out.more = (*out.more, channels[name])
    return channels[name]


def _reject_unknown_labels(payload: bytes) -> None:
    """Raise Rejected for a label that must be understood and is not: one that ends in `_`."""
    try:
        pack = json.loads(payload)
    except (ValueError, RecursionError):
        return  # has been read by a stricter reader
    labels = sorted({label for r in pack if isinstance(r, dict) for label in r if label.endswith("_")})
    if labels:
        raise Rejected(f"label '{labels[0][:40]}' must be understood (it ends in '_') and is not known")


class _Base:
    """Base fields, which hold from their record on. `prefix`: what the base name adds to the names of values."""

    def __init__(self, arrival: int) -> None:
        self.arrival, self.latest = arrival, arrival + AHEAD
        self.name, self.prefix, self.value = "", "", 0.0
        self.unit: str | None = None
        self.time: float | None = None
        self.sent: float | None = None
        self.up: float | None = None
        self.ms: int | None = None  # the base time where it is absolute
        self.valid_ms: int | None = None  # the same where a record without `t` can have it

    def update(self, r: Record) -> None:
        """Read the base fields that this record sets. Raises Rejected for a version that is not known."""
        if r.bver is not None and r.bver > _VERSION:
            raise Rejected(f"SenML version {r.bver:g}; this program reads versions up to {_VERSION}")
        if r.bn:
            self.name, self.prefix = r.bn, _short(r.bn)
        self.unit = r.bu or self.unit
        self.value = r.bv or self.value
        if r.sent is not None:
            self.sent = r.sent
        if r.bt is not None:
            self.time, self.up = r.bt, None
            self.ms = _ms(r.bt) if r.bt > 0 else None
        if r.up is not None:
            self.up = r.up
        usable = self.ms is not None and self.up is None and EARLIEST <= self.ms <= self.latest
        self.valid_ms = self.ms if usable else None

    def time_of(self, r: Record) -> tuple[int, bool]:
        """Time in ms UTC, and whether it was calculated from the arrival."""
        if self.up is not None and self.sent is not None and r.bt is None:
            ago = _ms(self.sent - self.up)
            return (-1 if ago is None else self.arrival - ago), True
        seconds = (self.time or 0.0) + r.t
        ms = _ms(seconds)
        if ms is None:
            return -1, False
        absolute = (self.time is not None or bool(r.t)) and seconds > 0
        return (ms if absolute else self.arrival + ms), not absolute


def _ms(seconds: float) -> int | None:
    """Whole ms; None for a number that is not finite or beyond all calendars."""
    return round(seconds * 1000) if math.isfinite(seconds) and abs(seconds) <= 1e12 else None


def _short(name: str) -> str:
    """The part of a name after the last `:` or `/`."""
    return _known_short(name) if len(name) <= _LONGEST else name.replace(":", "/").rpartition("/")[2]


@lru_cache(maxsize=4096)
def _known_short(name: str) -> str:
    return name.replace(":", "/").rpartition("/")[2]


def _row(r: Record, base: _Base, out: Decoded, options: SourceOptions) -> None:
    name = _short(base.prefix + r.n)
    name = options.rename.get(name, name)
    if r.v is None or not name or name in options.ignore:
        if name not in options.ignore:
            out.problems.append(_unusable(r, name))
        return
    if name in QUANTITIES and name != "session_energy" and "/" not in r.n:
        whole = base.prefix + r.n
        if len(options.names) < _NAMES and len(whole) <= _LONGEST:
            options.names[whole] = name
    by_arrival = False
    if base.ms is not None and not r.t and base.up is None:
        t = base.ms
    else:
        t, by_arrival = base.time_of(r)
        out.by_arrival |= by_arrival
    if not EARLIEST <= t <= base.latest:
        seconds = (base.time or 0.0) + r.t
        why = clock_problem(t, base.arrival) if _ms(seconds) is not None else f"time {seconds:.16g} s; it is in seconds"
        out.problems.append(f"'{name}': {why}")
        return
    unit, value = r.u or base.unit, r.v + base.value
    if name == "session_energy":
        end = None if r.end is None else _ms(r.end)
        if r.end is not None and end is None:
            out.problems.append("'end' of a session is not a valid time: its connected time is left out")
        unnamed = BY_ARRIVAL if by_arrival else 0
        add_session(out, t, end, value, unit, session_key(r.key, secret=options.secret) if r.key else unnamed)
    else:
        out.add(name, unit, value, t, BY_ARRIVAL if by_arrival else 0)


def _unusable(r: Record, name: str) -> str:
    """Why a record gives no value."""
    if not name:
        return "a record has no name, and no base name (bn) stands before it"
    if r.s is not None and r.vs is None and r.vb is None and r.vd is None:
        return f"'{name}' is a sum (s) over an unknown time, which is not used"
    return f"'{name}' has no numeric value"


def _one_by_one(payload: bytes, out: Decoded) -> list[Record]:
    """The records that can be read of a pack in which some cannot (wrong types, NaN)."""
    try:
        pack: Any = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise Rejected(f"not JSON: {error}") from error
    if not isinstance(pack, list):
        raise Rejected("SenML must be a JSON array of records")
    records = []
    for place, item in enumerate(pack):
        try:
            records.append(msgspec.convert(item, Record))
        except (msgspec.ValidationError, OverflowError, UnicodeError) as error:
            out.problems.append(f"record {place}: {form(error)}")
    return records
