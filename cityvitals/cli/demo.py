"""`cityvitals demo`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import START


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=START)(demo)


def demo(
    seconds: Annotated[float | None, typer.Option(help="Stop after this many seconds.")] = None,
    port: Annotated[int, typer.Option(help="Port of the live page.")] = 8000,
    folder: Annotated[Path, typer.Option("--data", help="Folder of the demo's data.")] = Path("cityvitals-demo"),
    store: Annotated[str, typer.Option(help="Store, such as influxdb://localhost:8086/demo; default: a file.")] = "",
    days: Annotated[int, typer.Option(help="Days of history to write at the first start.", min=1, max=1500)] = 366,
) -> None:
    """Run a simulated city on this machine. Example: cityvitals demo --port 8080."""
    from cityvitals.local.demo import run  # noqa: PLC0415

    run(folder, port, seconds, days, store)
