"""`cityvitals device`: registered devices of a city file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import BRING_IN

app = typer.Typer(help="Devices of a city file: register new ones.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="device", rich_help_panel=BRING_IN)


@app.callback()
def _group() -> None:
    """Keep `add` a command of its own."""


@app.command("add")
def add(
    city: Annotated[Path, typer.Argument(help="The city file, CITY.toml.")],
    device: Annotated[str, typer.Argument(help="The device's id, as it sends it.")],
    like: Annotated[str, typer.Option("--like", help="A registered device of the same kind and quantities.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Its kind, such as air_lowcost or electricity_meter.")] = "",
    quantity: Annotated[
        list[str] | None, typer.Option("--quantity", help="A quantity that it measures; may be repeated.")
    ] = None,
    site: Annotated[str, typer.Option("--site", help="Name of the place.")] = "",
    lat: Annotated[float | None, typer.Option("--lat", help="Degrees north.")] = None,
    lon: Annotated[float | None, typer.Option("--lon", help="Degrees east.")] = None,
) -> None:
    """Add a device to a city file, or a quantity to one that is in it.

    Example: cityvitals device add city.toml aq-999 --like aq-099
    """
    from cityvitals.operation.registration import register  # noqa: PLC0415
    from registry.place import Place  # noqa: PLC0415

    sys.stdout.write(register(city, device, like, kind, tuple(quantity or ()), Place(site, lat, lon)))
