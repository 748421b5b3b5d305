"""`cityvitals rejects`: list and replay rejected messages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.rejects import Reject
from cityvitals.operation.recover import only_one
from cityvitals.processes import cities_of
from cityvitals.sources import served_by, sources_of
from gateway.core import Core
from gateway.routes import Share
from registry.config import load_settings
from registry.quantity import with_nearest
from registry.settings import Settings
from reporting.tables import fitted
from telemetry.errors import Rejected, UsageError
from telemetry.periods import iso
from telemetry.untrusted import printable


def open_buffer(config: Path | None, buffer: Path | None) -> Buffer:
    """The gateway's buffer file. Raises UsageError where there is none."""
    settings = load_settings(config)
    path = buffer or settings.gateway.buffer
    if not path.is_file():
        raise UsageError(f"There is no buffer file {path}; give --config, or --buffer with the gateway's file.")
    return Buffer(path, None)


def listing(buffer: Buffer, limit: int, form: str, width: int = 200) -> Iterator[str]:
    """Lines that list the newest rejects, as `table` or `json`."""
    kept = buffer.rejects.newest(limit)
    if form == "json":
        yield json.dumps([plain(r) for r in kept], indent=2)
        return
    for r in kept:
        yield fitted(f"{r.id:>7}  {iso(r.at)}  {printable(f'{r.topic}  {with_nearest(r.reason)}')}", width).rstrip("\n")
        yield fitted(f"         {_excerpt(r.payload)}", width).rstrip("\n")
    yield f"{len(kept)} shown; {buffer.rejects.dropped()} older ones were deleted because of the size limit."


def plain(r: Reject) -> dict[str, object]:
    """A reject as JSON; its payload as text, with a mark for bytes that are none."""
    text = r.payload.decode("utf-8", errors="replace")
    return {"id": r.id, "at": iso(r.at), "topic": r.topic, "reason": r.reason, "bytes": len(r.payload), "payload": text}


def _excerpt(payload: bytes) -> str:
    text = payload[:100].decode("utf-8", errors="replace")
    return "".join(c if c.isprintable() else "·" for c in text) + (" ..." if len(payload) > 100 else "")


def replay(config: Path | None, path: Path | None, ids: Sequence[int], now: int) -> Iterator[str]:
    """Replay rejects; yields lines for the user. Raises UsageError for an unknown id."""
    yield from replay_in(load_settings(config), open_buffer(config, path), ids, now)


def replay_in(settings: Settings, opened: Buffer, ids: Sequence[int], now: int) -> Iterator[str]:
    """Replay rejects of an open buffer; see `replay`."""
    cities = cities_of(settings)
    gateway = settings.gateway
    served, share = served_by(gateway, cities), Share.parse(gateway.share)
    core = Core(opened, sources_of(gateway, cities), served=served, share=share)
    chosen = [r for r in opened.rejects.newest(1_000_000) if not ids or r.id in ids]
    missing = set(ids) - {r.id for r in chosen}
    if missing:
        raise UsageError(f"There is no reject {sorted(missing)[0]}; see `cityvitals rejects list`.")
    of_files = sum(r.topic.startswith("replay:") for r in chosen)
    windows = sum(r.topic.endswith("/windows") for r in chosen)
    rows = [r for r in reversed(chosen) if not (r.topic.startswith("replay:") or r.topic.endswith("/windows"))]
    with only_one(opened.path):  # a running gateway holds series ids and the ledger in memory
        done = feed(core, rows, now)
    yield f"{done.replayed} messages replayed: {done.stored} readings added, {done.kept} messages still rejected."
    if done.sealed:
        yield f"{done.sealed} messages were stored under another user_key and are not replayed."
    if windows:
        yield "Windows are not replayed by this command: run `cityvitals resend` on the gateway."
    if of_files:
        yield "Rows of files are not replayed by this command: fix the file and run `cityvitals replay`."


class Replayed(NamedTuple):
    """Counts of a replay: messages processed, readings added, messages still rejected, messages under another key."""

    replayed: int
    stored: int
    kept: int
    sealed: int


def feed(core: Core, rows: Sequence[Reject], now: int) -> Replayed:
    """Replay rejects, each in one transaction with its deletion. `now`: ms UTC.

    One without a time of its own has the arrival, and so the identity, it had; to the others the clock of now applies,
    because what rejected them may have been a clock that was behind.
    """
    buffer = core.buffer
    before, kept = buffer.rows(), buffer.rejects.count()
    sealed = 0
    for r in rows:
        try:
            message = core.original(r)
        except Rejected:
            sealed += 1
            continue
        at = min(r.at, now)
        at = at if core.dates(message, at) else now
        with buffer.transaction():
            buffer.rejects.delete([r.id])
            core.accept([message._replace(arrival=at)], at, kept=True)
    done = len(rows) - sealed
    return Replayed(done, buffer.rows() - before, buffer.rejects.count() - (kept - done), sealed)
