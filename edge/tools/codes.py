"""One-time codes for nodes that are set up without a cable, and what each of them gives.

A code names the enrolment server and its bearer: 16 characters are random, 16 are the beginning of the SHA-256 of the
server's certificate, so that a node that trusts nobody yet can check whom it is connected to before it sends
anything. Below the folder of `cityvitals enrol`: `codes/<SHA-256 of the random part>.json`, mode 0600; the code
itself is nowhere. It has 80 random bits and a short life, so a plain digest cannot be searched.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from adapters.mqtt.broker import Broker
from edge.tools import enrol, node_config, node_enrol, node_kinds
from edge.tools.boards import RECOMMENDED
from registry import secret_files
from telemetry.errors import UsageError

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: no I, L, O, U
PART = 16  # characters: 80 bits
SERVER = "enrolment"  # the id of the server's certificate
AGAIN = timedelta(hours=1)  # for how long the same node may fetch again what it has not stored
_TEN_YEARS = 3650  # days: nodes check the certificate itself, not its dates


class Refused(Exception):
    """A code that gives nothing; the text may be shown to anybody."""


@dataclass(frozen=True)
class Entry:
    """What a code gives. `until`: s UTC; `used`: digest of the first node's own number, empty before."""

    device: str
    kind: str
    broker: str
    until: float
    days: int = 730
    drivers: Sequence[str] = ()
    ntp: Sequence[str] = ()
    interval_s: int = 60
    board: str = RECOMMENDED
    used: str = ""
    used_at: float = 0.0


def base32(data: bytes) -> str:
    """The first 16 characters of some bytes: 5 bits each, the highest first."""
    number = int.from_bytes(data[:10], "big")
    return "".join(LETTERS[number >> 5 * at & 31] for at in reversed(range(PART)))


def certificate(folder: Path, now: datetime) -> enrol.Issued:
    """The enrolment server's certificate, made at its first use. Raises UsageError."""
    issued = folder / "issued"
    files = enrol.Issued(*(issued / f"{SERVER}.{end}" for end in ("crt", "key", "der", "key.der")))
    return files if files.certificate.exists() else enrol.enrol(folder, "broker", SERVER, now, _TEN_YEARS)


def normal(text: str) -> str:
    """A code as a person wrote it: blanks, dashes and small letters do not count, nor I for 1 or O for 0."""
    letters = "".join(text.upper().split()).replace("-", "")
    return letters.translate(str.maketrans("ILO", "110"))


def make(folder: Path, entry: Entry, now: datetime) -> str:
    """Make a code for a node that is not enrolled yet; returns it in groups of four. Raises UsageError."""
    _check(folder, entry)
    server = certificate(folder, now)
    home = folder / "codes"
    home.mkdir(mode=0o700, exist_ok=True)
    for path, other in _entries(home):
        if other.until < now.timestamp():
            path.unlink()
        elif other.device == entry.device and not other.used:
            path.unlink()  # a lost code is replaced by a new one
    secret = base32(secrets.token_bytes(10))
    secret_files.write(_path(home, secret), json.dumps(asdict(entry)).encode())
    whole = secret + base32(hashlib.sha256(server.der.read_bytes()).digest())
    return "-".join(whole[at : at + 4] for at in range(0, len(whole), 4))


def _check(folder: Path, entry: Entry) -> None:
    """All that would be refused when the code is used is refused now."""
    if (folder / "issued" / f"{entry.device}.crt").exists():
        raise UsageError(f"{entry.device} is enrolled already; revoke it first, or choose another id.")
    sensors = node_kinds.sensors(entry.kind, entry.drivers, entry.board)
    place = Broker.parse(entry.broker)
    composed = node_config.compose(
        enrol.city_of(folder), entry.device, place, sensors, "", {}, entry.ntp, entry.interval_s, entry.board
    )
    node_config.check(composed, "The configuration")


def _path(home: Path, secret: str) -> Path:
    return home / f"{hashlib.sha256(secret.encode()).hexdigest()}.json"


def _entries(home: Path) -> list[tuple[Path, Entry]]:
    return [(path, _read(path)) for path in sorted(home.glob("*.json"))]


def _read(path: Path) -> Entry:
    try:
        return Entry(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return Entry("", "", "", 0.0)  # a damaged entry gives nothing and is removed with the expired ones


def redeem(folder: Path, code: str, nonce: str, now: datetime) -> dict[str, bytes]:
    """The files of the node that a code stands for, enrolled now. Raises Refused, and UsageError for our own faults.

    `nonce`: a number that the node made up. With the same one it may fetch again within an hour, because the first
    answer may have been lost; with another one the code is used up.
    """
    path = _path(folder / "codes", normal(code)[:PART])
    entry = _read(path)
    digest = hashlib.sha256(nonce.encode()).hexdigest()
    at = now.timestamp()
    if not entry.device or at > entry.until or (entry.used and entry.used != digest):
        raise Refused("The code is unknown, used or expired.")
    if entry.used and at > entry.used_at + AGAIN.total_seconds():
        raise Refused("The code is unknown, used or expired.")
    if not entry.used:
        secret_files.write(path, json.dumps(asdict(replace(entry, used=digest, used_at=at))).encode())
    return _files(folder, entry, now)


def _files(folder: Path, entry: Entry, now: datetime) -> dict[str, bytes]:
    home = folder / "nodes" / entry.device
    if not (home / node_config.FILE).exists():
        node_enrol.enrol_node(
            folder, entry.device, entry.kind, Broker.parse(entry.broker), now, entry.days, entry.drivers, {},
            entry.ntp, entry.interval_s, entry.board,
        )  # fmt: skip
    names = (node_config.FILE, node_config.CA, node_config.CERTIFICATE, node_config.KEY)
    return {name: (home / name).read_bytes() for name in names}
