"""`cityvitals init`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import START


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=START)(init)


def init(
    folder: Annotated[Path, typer.Argument(help="The folder of the new city; its name becomes the city's id.")],
    name: Annotated[str, typer.Option(help="The city's name; default: the folder's.")] = "",
    country: Annotated[str, typer.Option(help="Two letters, ISO 3166.")] = "",
    timezone: Annotated[str, typer.Option(help="As in Europe/Oslo; default: this machine's, else UTC.")] = "",
    population: Annotated[int | None, typer.Option(help="Inhabitants, where known.", min=1)] = None,
) -> None:
    """Write the two files of a new city: city.toml and cityvitals.toml.

    Example: cityvitals init town --country NO --timezone Europe/Oslo --population 52000
    """
    from cityvitals.local.new_city import write  # noqa: PLC0415

    for path in write(folder, name, country, timezone, population):
        sys.stdout.write(f"wrote {path}\n")
    sys.stdout.write(f"Next: list your devices in {folder / 'city.toml'}, then: cityvitals run {folder}\n")
