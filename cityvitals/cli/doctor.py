"""`cityvitals doctor`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import OPERATE
from cityvitals.options import Config, TableForm, width


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(rich_help_panel=OPERATE)(doctor)


def doctor(
    config: Config = None,
    pki: Annotated[Path | None, typer.Option("--pki", help="The folder of authorities and certificates.")] = None,
    mosquitto: Annotated[list[Path] | None, typer.Option("--mosquitto", help="A broker's configuration file.")] = None,
    time_server: Annotated[
        str | None, typer.Option("--time-server", help="Compare the clock with this time server.")
    ] = None,
    payload: Annotated[
        str, typer.Option("--payload", help="A file with one message of a device, or - for standard input.")
    ] = "",
    topic: Annotated[str, typer.Option("--topic", help="The topic of that message, if known.")] = "",
    form: TableForm = "table",
) -> None:
    """Check for faults that would lose readings. Example: cityvitals doctor --config cityvitals.toml.

    The exit code is 1 where a check fails.
    """
    from cityvitals.operation.doctor import examine  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415
    from reporting.tables import fitted  # noqa: PLC0415
    from telemetry.errors import UsageError, nearest  # noqa: PLC0415
    from telemetry.untrusted import printable  # noqa: PLC0415

    if payload:
        from cityvitals.discover import explain_payload  # noqa: PLC0415

        lines = explain_payload(payload, topic or None, load_settings(config))
        typer.echo("\n".join(map(printable, lines)))
        return
    if form not in ("table", "json"):
        raise UsageError(f"'{form}' is not a valid format; {nearest(form, ['table', 'json'])}")
    found = []
    for finding in examine(load_settings(config), pki, mosquitto or [], time_server):
        found.append(finding)
        if form == "table":
            line = f"{finding.verdict:<8} {printable(f'{finding.what}: {finding.advice}')}\n"
            typer.echo(fitted(line, width()), nl=False)
    if form == "json":
        typer.echo(json.dumps([finding._asdict() for finding in found], indent=2))
    raise typer.Exit(1 if any(finding.verdict == "bad" for finding in found) else 0)
