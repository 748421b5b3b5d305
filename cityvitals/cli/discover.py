"""`cityvitals discover`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(discover)


def discover(
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
    seconds: Annotated[float, typer.Option(help="How long to listen.")] = 60.0,
    topic: Annotated[str, typer.Option(help="Topic filter.")] = "#",
) -> None:
    """Listen to the broker and list the devices, what they measure, and the lines to configure them.

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
