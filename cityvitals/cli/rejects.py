"""`cityvitals rejects`: messages that could not be used, why, and their replay once the cause is mended."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from adapters.sqlite.buffer import Buffer
from adapters.sqlite.rejects import Reject
from cityvitals.recover import only_one
from cityvitals.sources import sources_of
from gateway.core import RETAINED, Core, Incoming
from registry.config import load_settings
from telemetry.errors import UsageError
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
    core = Core(opened, sources_of(load_settings(config).gateway))
    chosen = [r for r in opened.rejects.newest(1_000_000) if not ids or r.id in ids]
    missing = set(ids or []) - {r.id for r in chosen}
    if missing:
        raise UsageError(f"There is no kept message {sorted(missing)[0]}; see `cityvitals rejects list`.")
    of_files = sum(r.topic.startswith("replay:") for r in chosen)
    windows = sum(r.topic.endswith("/windows") for r in chosen)
    rows = [r for r in reversed(chosen) if not (r.topic.startswith("replay:") or r.topic.endswith("/windows"))]
    with only_one(opened.path):  # a running gateway has numbers of series and of records in memory
        stored, again = feed(core, rows, time.time_ns() // 1_000_000)
    sys.stdout.write(f"{len(rows)} messages replayed: {stored} readings stored, {again} messages kept again.\n")
    if windows:
        sys.stdout.write("Windows are not replayed from here: `cityvitals resend` on the gateway sends them again.\n")
    if of_files:
        sys.stdout.write("Rows of files are not replayed from here: mend the file and run `cityvitals replay` again.\n")


def feed(core: Core, rows: list[Reject], now: int) -> tuple[int, int]:
    """Feed messages in once more; readings stored, messages kept again. `now`: ms UTC.

    One without a time of its own is dated by the arrival it had; to the others the clock of now applies, because what
    refused them may have been a clock that was behind.
    """
    stored = 0
    newest = core.buffer.rejects.newest(1)
    last = newest[0].id if newest else 0
    for r in rows:
        message, at = Incoming(r.topic, r.payload, RETAINED in r.reason), min(r.at, now)
        stored += core.accept([message], at if core.dates(message, at) else now, kept=True).stored
        core.buffer.rejects.delete([r.id])
    return stored, sum(r.id > last for r in core.buffer.rejects.newest(1_000_000))
