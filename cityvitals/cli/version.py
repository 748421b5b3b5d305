"""`cityvitals version`."""

from __future__ import annotations

import typer

from cityvitals.cli import OPERATE


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=OPERATE)(version)


def version() -> None:
    """Print the version. Example: cityvitals version."""
    from registry.version import version as installed  # noqa: PLC0415

    typer.echo(f"cityvitals {installed()}")
