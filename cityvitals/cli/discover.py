"""`cityvitals discover`."""

from __future__ import annotations

from typing import Annotated

import typer

from cityvitals.cli import BRING_IN
from cityvitals.options import Config


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=BRING_IN)(discover)


def discover(
    config: Config = None,
    seconds: Annotated[float, typer.Option(help="How long to listen.")] = 60.0,
    topic: Annotated[str, typer.Option(help="Topic filter.")] = "#",
) -> None:
    """List the devices that publish to the broker.

    Each is listed with what it measures and the lines that configure it.

    Example: cityvitals discover --config cityvitals.toml --seconds 60
    """
    from rich.progress import Progress  # noqa: PLC0415

    from cityvitals.discover import listen  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415
    from telemetry.untrusted import printable  # noqa: PLC0415

    with Progress(transient=True) as bar:
        task = bar.add_task("listening", total=None)
        lines = listen(load_settings(config), seconds, topic, lambda n: bar.update(task, description=f"{n} messages"))
    typer.echo("\n".join(map(printable, lines)))
