"""`cityvitals run`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import START


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=START)(run)


def run(
    folder: Annotated[Path, typer.Argument(help="A folder made by `cityvitals init`.")],
    port: Annotated[int | None, typer.Option(help="Port of the page; default: the configured one.")] = None,
    broker_port: Annotated[int, typer.Option(help="Port of the broker that the devices publish to.")] = 1883,
    listen: Annotated[
        str, typer.Option(help="Address of the broker; 0.0.0.0 accepts every device of this network.")
    ] = "127.0.0.1",
    seconds: Annotated[float | None, typer.Option(help="Stop after this time.")] = None,
) -> None:
    """Run a city on one machine: broker, gateway, ingest, API and page. Example: cityvitals run town."""
    from cityvitals.local.run import run as start  # noqa: PLC0415

    start(folder, port, broker_port, listen, seconds)
