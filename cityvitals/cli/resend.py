"""`cityvitals resend`: publish stored windows a second time, for example after an older store was restored."""

from __future__ import annotations

from typing import Annotated

import typer

from cityvitals.cli import OPERATE
from cityvitals.options import BufferFile, Config


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=OPERATE)(resend)


def resend(
    config: Config = None,
    buffer: BufferFile = None,
    since: Annotated[str, typer.Option(help="Only windows from this time on, such as 2026-11-20T06:00:00Z.")] = "",
) -> None:
    """Requeue the gateway's windows, for a store that lacks them.

    Those that the store contains do not change.

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
