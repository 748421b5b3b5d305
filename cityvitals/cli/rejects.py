"""`cityvitals rejects`."""

from __future__ import annotations

import sys
import time
from typing import Annotated

import typer

from cityvitals.cli import OPERATE
from cityvitals.options import BufferFile, Config, TableForm, width

app = typer.Typer(help="Rejected messages: list and replay them.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="rejects", rich_help_panel=OPERATE)


@app.command("list")
def list_rejects(
    config: Config = None,
    buffer: BufferFile = None,
    limit: Annotated[int, typer.Option(help="How many, newest first.", min=1)] = 100,
    form: TableForm = "table",
) -> None:
    """List rejects, newest first. Example: cityvitals rejects list --config cityvitals.toml."""
    from cityvitals.operation.rejects import listing, open_buffer  # noqa: PLC0415

    for line in listing(open_buffer(config, buffer), limit, form, width()):
        sys.stdout.write(f"{line}\n")


@app.command("replay")
def replay_rejects(
    config: Config = None,
    buffer: BufferFile = None,
    ids: Annotated[list[int] | None, typer.Argument(help="Ids from the list; default: all.")] = None,
) -> None:
    """Replay rejects with the current configuration. Messages that are still invalid stay rejected.

    The gateway must be stopped meanwhile; the broker queues what devices send.

    Example: cityvitals rejects replay 17 18 --config cityvitals.toml
    """
    from cityvitals.operation.rejects import replay  # noqa: PLC0415

    for line in replay(config, buffer, ids or [], time.time_ns() // 1_000_000):
        sys.stdout.write(f"{line}\n")
