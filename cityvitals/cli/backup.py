"""`cityvitals backup`, `restore` and `recover`: the SQLite files of gateway and store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import OPERATE


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel=OPERATE)(backup)
    app.command(rich_help_panel=OPERATE)(restore)
    app.command(rich_help_panel=OPERATE)(recover)


def backup(
    source: Annotated[Path, typer.Argument(help="The gateway's buffer or the store's file; it may be in use.")],
    target: Annotated[Path, typer.Argument(help="The copy.")],
) -> None:
    """Copy a SQLite file while it is in use. Example: cityvitals backup gateway.db gateway-copy.db."""
    from rich.console import Console  # noqa: PLC0415 - `--help` needs none of these
    from rich.progress import Progress  # noqa: PLC0415

    from cityvitals.operation.backup import backup as copy  # noqa: PLC0415

    with Progress(transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("copying", total=None)
        size = copy(source, target, lambda done, pages: bar.update(task, completed=done, total=pages))
    typer.echo(f"{target}: {size:,} bytes, checked.")


def restore(
    source: Annotated[Path, typer.Argument(help="A copy made by `cityvitals backup`.")],
    target: Annotated[Path, typer.Argument(help="The file to replace; it must not be in use.")],
) -> None:
    """Restore a backup. Example: cityvitals restore gateway-copy.db gateway.db."""
    from cityvitals.operation.backup import restore as put  # noqa: PLC0415

    size, kept = put(source, target)
    typer.echo(
        f"{target}: {size:,} bytes"
        + (f"; the previous file is now {kept}." if kept else "; there was no previous file.")
    )


def recover(
    damaged: Annotated[Path, typer.Argument(help="A file that was set aside, gateway.db.damaged-...")],
    buffer: Annotated[Path, typer.Option("--buffer", help="The gateway's current file; the gateway must be stopped.")],
) -> None:
    """Recover the readings of a damaged buffer. Example: cityvitals recover old.db --buffer gateway.db."""
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import Progress  # noqa: PLC0415

    from cityvitals.operation.recover import damaged_files  # noqa: PLC0415
    from cityvitals.operation.recover import recover as bring_back  # noqa: PLC0415

    with Progress(transient=True, console=Console(stderr=True)) as bar:
        task = bar.add_task("reading", total=None)
        found, added = bring_back(damaged, buffer, lambda rows: bar.advance(task, rows))
    typer.echo(f"{found:,} readings found, {added:,} of them new; they are sent when the gateway is started.")
    if not found:
        typer.echo("Nothing could be read; earlier windows are sent without its readings.")
    for remaining in damaged_files(buffer):
        typer.echo(f"{remaining} is not recovered yet; earlier windows are not sent until it is.")
