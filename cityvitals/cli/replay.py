"""`cityvitals replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import BRING_IN
from cityvitals.options import CityFile, StoreUrl


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=BRING_IN)(replay)


def replay(
    files: Annotated[list[Path], typer.Argument(help="Recorded files: CSV (gzipped or not), JSON, XML, Parquet.")],
    city: CityFile,
    store: StoreUrl = "",
    speed: Annotated[str, typer.Option(help="'max', or recorded seconds a second.")] = "max",
    width: Annotated[str, typer.Option(help="Width of the base windows.")] = "60s",
    through: Annotated[str, typer.Option(help="mqtt://host:port: send over this broker and a running gateway.")] = "",
    family: Annotated[str, typer.Option("--as", help="Family of the files, or your own column map: map.toml.")] = "",
    device: Annotated[str, typer.Option(help="The device, where the files name none.")] = "",
    quantity: Annotated[str, typer.Option(help="The quantity, where the files name none.")] = "",
    unit: Annotated[str, typer.Option(help="The unit of --quantity in the files.")] = "",
) -> None:
    """Feed recorded readings through the same code as live data.

    Example: cityvitals replay stations_2018.csv.gz --city aberdeen.toml --store sqlite:///aberdeen.db

    Files of other formats are recognised by their columns, or named: --as uk_air --device king-street
    """
    from cityvitals.commands import replay_command  # noqa: PLC0415
    from gateway.recorded import How  # noqa: PLC0415

    replay_command(files, city, store, speed, width, through, How(family, device, quantity, unit))
