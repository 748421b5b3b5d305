"""`cityvitals resend`: publish stored windows a second time, for example after an older store was restored."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(resend)


def resend(
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
    buffer: Annotated[
        Path | None, typer.Option("--buffer", help="The gateway's file; default: the configured one.")
    ] = None,
    since: Annotated[str, typer.Option(help="Only windows from this time on, such as 2026-11-20T06:00:00Z.")] = "",
) -> None:
    """Requeue the gateway's windows; those that the store contains do not change.

    The gateway must be stopped meanwhile; it publishes them after its start, the newest first.

    Example: cityvitals resend --config cityvitals.toml --since 2026-11-20T06:00:00Z
    """
    from cityvitals.operation.recover import only_one  # noqa: PLC0415
    from cityvitals.operation.rejects import open_buffer  # noqa: PLC0415
    from telemetry.errors import Rejected, UsageError  # noqa: PLC0415
    from telemetry.stamps import read_stamp  # noqa: PLC0415

    try:
        first = read_stamp(since) if since else 0
    except Rejected as reason:
        raise UsageError(f"--since: {reason}; use for example 2026-11-20T06:00:00Z.") from None
    opened = open_buffer(config, buffer)
    with only_one(opened.path):
        opened.mark_all_dirty(first)
        queued, _ = opened.backlog()
    typer.echo(f"{queued:,} windows are sent when the gateway is started.")
