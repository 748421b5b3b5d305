"""`cityvitals grafana`: build the dashboards from the KPI catalogue and push them to a Grafana server."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import RUN
from grafana import DATASOURCE_UID

app = typer.Typer(help="Grafana dashboards: build them, push them.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="grafana", rich_help_panel=RUN)


TOKEN = "CITYVITALS_GRAFANA_TOKEN"  # noqa: S105 - the name of the variable, not a secret


@app.command("build")
def build(
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The folder to write to; default: the repository's own.")
    ] = None,
    policy: Annotated[
        str, typer.Option(help="Retention policy of KPI values, where the store has one (forever).")
    ] = "",
) -> None:
    """Write the dashboards as JSON and the alert rules as YAML. Example: cityvitals grafana build --out dashboards."""
    from grafana import build as builder  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    if policy and not out:
        raise UsageError("The repository's dashboards read the default policy: name another folder with --out.")
    folder, alerts = (out, out / "alerting" / builder.ALERTS.name) if out else (builder.FOLDER, builder.ALERTS)
    for path in (*builder.build(folder, policy), builder.build_alerts(alerts, policy)):
        sys.stdout.write(f"{path}\n")


@app.command("push")
def push(
    url: Annotated[str, typer.Argument(help="The Grafana server, like http://localhost:3000.")],
    datasource: Annotated[str, typer.Option(help="Uid of its InfluxDB data source.")] = DATASOURCE_UID,
    alerts: Annotated[
        bool, typer.Option("--alerts", help="Also put the alert rules there (Grafana 10 or later).")
    ] = False,
    policy: Annotated[
        str, typer.Option(help="Retention policy of KPI values, where the store has one (forever).")
    ] = "",
) -> None:
    """Put the dashboards on a Grafana server.

    The token comes from CITYVITALS_GRAFANA_TOKEN.

    Example: CITYVITALS_GRAFANA_TOKEN=... cityvitals grafana push http://localhost:3000
    """
    from grafana.push import push as push_to  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    token = os.environ.get(TOKEN, "")
    if not token:
        raise UsageError(f"Set {TOKEN} to a service account token of that Grafana; secrets are not taken as arguments.")
    for title in push_to(url, token, datasource, alerts, policy):
        sys.stdout.write(f"{title}\n")
