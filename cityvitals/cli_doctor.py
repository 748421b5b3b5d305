"""`cityvitals doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
    pki: Annotated[Path | None, typer.Option("--pki", help="The folder of `cityvitals enrol`.")] = None,
    mosquitto: Annotated[list[Path] | None, typer.Option("--mosquitto", help="A broker's configuration file.")] = None,
    time_server: Annotated[str | None, typer.Option("--time-server", help="Compare the clock with this one.")] = None,
) -> None:
    """Look for what would lose readings. Example: cityvitals doctor --config cityvitals.toml.

    The exit code is 1 where something is bad.
    """
    from cityvitals.config import load_settings  # noqa: PLC0415
    from cityvitals.doctor import examine  # noqa: PLC0415
    from cityvitals.foreign import printable  # noqa: PLC0415

    bad = False
    for finding in examine(load_settings(config), pki, mosquitto or [], time_server):
        typer.echo(f"{finding.verdict:<8} {printable(f'{finding.what}: {finding.advice}')}")
        bad = bad or finding.verdict == "bad"
    raise typer.Exit(1 if bad else 0)
