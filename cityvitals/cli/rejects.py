"""`cityvitals rejects`: messages that could not be used, why, and their replay once the cause is mended."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.rejects import Reject
from cityvitals.processes import cities_of
from cityvitals.recover import only_one
from cityvitals.sources import served_by, sources_of
from gateway.core import Core
from registry.config import load_settings
from telemetry.errors import Rejected, UsageError
from telemetry.periods import iso
from telemetry.untrusted import printable

app = typer.Typer(help="Messages that could not be used: list them, replay them.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="rejects")


BufferFile = Annotated[Path | None, typer.Option("--buffer", help="The gateway's file; default: the configured one.")]
Config = Annotated[Path | None, typer.Option("--config", help="The configuration file.")]


def open_buffer(config: Path | None, buffer: Path | None) -> Buffer:
    """The gateway's buffer file. Raises UsageError where there is none."""
    settings = load_settings(config)
    path = buffer or settings.gateway.buffer
    if not path.is_file():
        raise UsageError(f"There is no buffer file {path}; give --config, or --buffer with the gateway's file.")
    return Buffer(path, None)


@app.command("list")
def list_rejects(
    config: Config = None,
    buffer: BufferFile = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 100,
    form: Annotated[str, typer.Option("--format", help="table or json.")] = "table",
) -> None:
    """List kept messages, newest first. Example: cityvitals rejects list --config cityvitals.toml."""
    opened = open_buffer(config, buffer)
    kept = opened.rejects.newest(limit)
    if form == "json":
        sys.stdout.write(json.dumps([_plain(r) for r in kept], indent=2) + "\n")
        return
    for r in kept:
        told = printable(f"{r.topic}  {r.reason}")
        sys.stdout.write(f"{r.id:>7}  {iso(r.at)}  {told}\n         {_excerpt(r.payload)}\n")
    dropped = opened.rejects.dropped()
    sys.stdout.write(f"{len(kept)} shown; {dropped} older ones were let go for want of room.\n")


def _plain(r: Reject) -> dict[str, object]:
    text = r.payload.decode("utf-8", errors="replace")
    return {"id": r.id, "at": iso(r.at), "topic": r.topic, "reason": r.reason, "bytes": len(r.payload), "payload": text}


def _excerpt(payload: bytes) -> str:
    text = payload[:100].decode("utf-8", errors="replace")
    return "".join(c if c.isprintable() else "·" for c in text) + (" ..." if len(payload) > 100 else "")


@app.command("replay")
def replay_rejects(
    config: Config = None,
    buffer: BufferFile = None,
    ids: Annotated[list[int] | None, typer.Argument(help="Numbers from the list; all where none are given.")] = None,
) -> None:
    """Feed kept messages in again, with the configuration as it is now. What is still wrong is kept again.

    The gateway must be stopped meanwhile; what devices send waits at the broker.

    Example: cityvitals rejects replay 17 18 --config cityvitals.toml
    """
    opened = open_buffer(config, buffer)
    settings = load_settings(config)
    core = Core(opened, sources_of(settings.gateway), served=served_by(settings.gateway, cities_of(settings)))
    chosen = [r for r in opened.rejects.newest(1_000_000) if not ids or r.id in ids]
    missing = set(ids or []) - {r.id for r in chosen}
    if missing:
        raise UsageError(f"There is no kept message {sorted(missing)[0]}; see `cityvitals rejects list`.")
    of_files = sum(r.topic.startswith("replay:") for r in chosen)
    windows = sum(r.topic.endswith("/windows") for r in chosen)
    rows = [r for r in reversed(chosen) if not (r.topic.startswith("replay:") or r.topic.endswith("/windows"))]
    with only_one(opened.path):  # a running gateway has numbers of series and of records in memory
        done = feed(core, rows, time.time_ns() // 1_000_000)
    sys.stdout.write(
        f"{done.replayed} messages replayed: {done.stored} readings added, {done.kept} messages kept again.\n"
    )
    if done.sealed:
        sys.stdout.write(f"{done.sealed} messages were kept under another user_key and are left as they are.\n")
    if windows:
        sys.stdout.write("Windows are not replayed from here: `cityvitals resend` on the gateway sends them again.\n")
    if of_files:
        sys.stdout.write("Rows of files are not replayed from here: mend the file and run `cityvitals replay` again.\n")


class Replayed(NamedTuple):
    """What came of a replay: messages processed, readings added, messages kept again, messages under another key."""

    replayed: int
    stored: int
    kept: int
    sealed: int


def feed(core: Core, rows: Sequence[Reject], now: int) -> Replayed:
    """Process kept messages once more, each in one transaction with its deletion. `now`: ms UTC.

    One without a time of its own has the arrival, and so the identity, it had; to the others the clock of now applies,
    because what refused them may have been a clock that was behind.
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
