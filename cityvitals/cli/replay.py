"""`cityvitals replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StoreUrl = Annotated[str, typer.Option("--store", help="sqlite:///city.db or influxdb://host:8086/database")]


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(replay)


def replay(
    files: Annotated[list[Path], typer.Argument(help="CSV files, gzipped or not.")],
    city: Annotated[Path, typer.Option("--city", help="The city file, CITY.toml.")],
    store: StoreUrl = "",
    speed: Annotated[str, typer.Option(help="'max', or recorded seconds a second.")] = "max",
    width: Annotated[str, typer.Option(help="Width of the base windows.")] = "60s",
    through: Annotated[str, typer.Option(help="mqtt://host:port: send over this broker and a running gateway.")] = "",
) -> None:
    """Feed recorded readings through the same code as live data.

    Example: cityvitals replay stations_2018.csv.gz --city aberdeen.toml --store sqlite:///aberdeen.db
    """
    from cityvitals.commands import replay_command  # noqa: PLC0415

    replay_command(files, city, store, speed, width, through)
