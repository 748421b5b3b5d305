"""`cityvitals version`."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(version)


def version() -> None:
    """Print the version. Example: cityvitals version."""
    from cityvitals import __version__  # noqa: PLC0415

    typer.echo(f"cityvitals {__version__}")
