"""The commands and their options; what they do is in the modules they call, imported when they run."""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from cityvitals import (
    cli_backup,
    cli_calibrate,
    cli_config,
    cli_doctor,
    cli_enrol,
    cli_grafana,
    cli_ledger,
    cli_node,
    cli_ota,
    cli_rejects,
    cli_reporting,
    cli_resend,
    cli_token,
)

app = typer.Typer(
    help="Turns a city's sensors into its live U4SSC key performance indicators.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
kpi_app = typer.Typer(help="KPI values: show them, derive them again.", no_args_is_help=True)
app.add_typer(kpi_app, name="kpi")
cli_reporting.add_to(kpi_app)
app.add_typer(cli_rejects.app, name="rejects")
app.add_typer(cli_config.app, name="config")
app.add_typer(cli_grafana.app, name="grafana")
app.add_typer(cli_enrol.app, name="enrol")
app.add_typer(cli_node.app, name="node")
app.add_typer(cli_ota.app, name="ota")
app.command()(cli_token.token)
app.command()(cli_ledger.ledger)
app.command()(cli_doctor.doctor)
app.command()(cli_calibrate.calibrate)
app.command()(cli_backup.backup)
app.command()(cli_backup.restore)
app.command()(cli_backup.recover)
app.command()(cli_resend.resend)

StoreUrl = Annotated[str, typer.Option("--store", help="sqlite:///city.db or influxdb://host:8086/database")]


@app.callback()
def _logging(verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Also log details.")] = False) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr
    )


@app.command()
def version() -> None:
    """Print the version. Example: cityvitals version."""
    from cityvitals import __version__  # noqa: PLC0415

    typer.echo(f"cityvitals {__version__}")


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="CSV files, gzipped or not.")],
    city: Annotated[Path, typer.Option("--city", help="The CITY.toml.")],
    store: StoreUrl = "",
    speed: Annotated[str, typer.Option(help="'max', or recorded seconds per second.")] = "max",
    width: Annotated[str, typer.Option(help="Width of the base windows.")] = "60s",
    through: Annotated[str, typer.Option(help="mqtt://host:port: by that broker and a running gateway.")] = "",
) -> None:
    """Feed recorded readings through the same code as live data.

    Example: cityvitals replay stations_2018.csv.gz --city aberdeen.toml --store sqlite:///aberdeen.db
    """
    from cityvitals.commands import replay_command  # noqa: PLC0415

    replay_command(files, city, store, speed, width, through)


@kpi_app.command("show")
def kpi_show(
    city: Annotated[str, typer.Option("--city", help="The city's id.")],
    store: StoreUrl,
    period: Annotated[str, typer.Option(help="2018, 2018-Q3, 2018-07, 2018-07-01, 24h or 365d.")],
    code: Annotated[list[str] | None, typer.Option(help="Only this KPI; may be repeated.")] = None,
    form: Annotated[str, typer.Option("--format", help="table, json or csv.")] = "table",
) -> None:
    """Show the KPI values of a period.

    Example: cityvitals kpi show --city aberdeen --store sqlite:///aberdeen.db --period 2018
    """
    from adapters.store import existing_store  # noqa: PLC0415
    from cityvitals.show import as_text, values  # noqa: PLC0415
    from telemetry.errors import UsageError, nearest  # noqa: PLC0415

    if form not in ("table", "json", "csv"):
        raise UsageError(f"There is no format '{form}'; {nearest(form, ['table', 'json', 'csv'])}")
    rows = values(existing_store(store), city, period, code or [], time.time_ns() // 1_000_000)
    sys.stdout.write(as_text(rows, form, None if sys.stdout.isatty() else 200))


Config = Annotated[Path | None, typer.Option("--config", help="The configuration file, cityvitals.toml.")]


@app.command()
def gateway(config: Config = None) -> None:
    """Run an edge gateway. Example: cityvitals gateway --config cityvitals.toml."""
    from cityvitals.config import load_settings  # noqa: PLC0415
    from cityvitals.processes import run_gateway  # noqa: PLC0415

    run_gateway(load_settings(config))


@app.command()
def ingest(config: Config = None) -> None:
    """Run the ingest with the live KPI engine. Example: cityvitals ingest --config cityvitals.toml."""
    from cityvitals.config import load_settings  # noqa: PLC0415
    from cityvitals.processes import run_ingest  # noqa: PLC0415

    run_ingest(load_settings(config))


@app.command()
def api(config: Config = None) -> None:
    """Run the HTTP API and the live page. Example: cityvitals api --config cityvitals.toml."""
    from cityvitals.config import load_settings  # noqa: PLC0415
    from cityvitals.processes import run_api  # noqa: PLC0415

    run_api(load_settings(config))


@app.command()
def simulate(config: Config = None) -> None:
    """Run simulated nodes for every device of the configured cities. Example: cityvitals simulate --config c.toml."""
    from cityvitals.config import load_settings  # noqa: PLC0415
    from cityvitals.processes import run_simulate  # noqa: PLC0415

    run_simulate(load_settings(config))


@app.command(hidden=True)
def broker(port: Annotated[int, typer.Option()]) -> None:
    """Run the embedded broker; the demo uses it where there is no Mosquitto."""
    from cityvitals.broker import run_amqtt  # noqa: PLC0415

    run_amqtt(port)


@app.command()
def demo(
    seconds: Annotated[float | None, typer.Option(help="Stop by itself after this time.")] = None,
    port: Annotated[int, typer.Option(help="Port of the live page.")] = 8000,
    folder: Annotated[Path, typer.Option("--data", help="Where the demo keeps its data.")] = Path("cityvitals-demo"),
    days: Annotated[int, typer.Option(help="Days of history to write at the first start.", min=1, max=1500)] = 366,
) -> None:
    """Run a simulated city on this machine. Example: cityvitals demo --port 8080."""
    from cityvitals.demo import run  # noqa: PLC0415

    run(folder, port, seconds, days)


@kpi_app.command("backfill")
def kpi_backfill(
    city: Annotated[Path, typer.Option("--city", help="The CITY.toml, perhaps changed.")],
    store: StoreUrl,
    from_windows: Annotated[
        bool,
        typer.Option(
            "--from-windows", help="Make the hours again too, as after windows came while the city was not served."
        ),
    ] = False,
) -> None:
    """Derive a city's KPI values again from the stored hours; only what differs is written.

    After a change of the city file: the KPIs that rest on it, with what changed. Else all.

    Example: cityvitals kpi backfill --city aberdeen.toml --store sqlite:///aberdeen.db
    """
    from cityvitals.commands import backfill_command  # noqa: PLC0415

    backfill_command(city, store, from_windows)
