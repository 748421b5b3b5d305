"""`cityvitals token`: access to the API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import RUN


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=RUN)(token)


def token(
    name: Annotated[str, typer.Argument(help="The name of its owner.")],
    scope: Annotated[list[str] | None, typer.Option(help="read, read:<city> or metrics; may be repeated.")] = None,
    tokens: Annotated[Path, typer.Option("--tokens", help="The file that [api] names in `tokens`.")] = Path("tokens"),
) -> None:
    """Create a token for the API; it is shown once. Example: cityvitals token index --scope read:aberdeen."""
    from api.access import add_token  # noqa: PLC0415

    typer.echo(add_token(tokens, name, scope or ["read"]))
    typer.echo(f"Only its hash is in {tokens}; restart the API to activate it.", err=True)
