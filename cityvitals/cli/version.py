"""`cityvitals version`."""

from __future__ import annotations

import typer


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(version)


def version() -> None:
    """Print the version. Example: cityvitals version."""
    from registry.version import version as installed  # noqa: PLC0415

    typer.echo(f"cityvitals {installed()}")
