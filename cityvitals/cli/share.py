"""`cityvitals share`: devices move between the gateways of a broker when their number changes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import OPERATE


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=OPERATE)(share)


def share(
    configs: Annotated[list[Path], typer.Argument(help="The configurations of all gateways, with their new share.")],
    ended: Annotated[
        list[Path] | None, typer.Option("--ended", help="Of a gateway that gives its devices away; may be repeated.")
    ] = None,
) -> None:
    """Move devices after the number of gateways at a broker changed.

    All gateways must be stopped meanwhile; the broker queues what devices send, and nothing is lost or counted twice.

    Example: cityvitals share gateway-1.toml gateway-2.toml
    """
    from cityvitals.operation.shares import move  # noqa: PLC0415 - `--help` needs none of it

    for line in move(configs, ended or []):
        typer.echo(line)
