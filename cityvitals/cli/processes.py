"""The long-running commands: `cityvitals gateway`, `ingest`, `bridge`, `values`, `archive`, `api`, `simulate`."""

from __future__ import annotations

from typing import Annotated

import typer

from cityvitals.cli import RUN
from cityvitals.options import Config


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for command in COMMANDS:
        app.command(rich_help_panel=RUN)(command)
    app.command(hidden=True)(broker)


def gateway(config: Config = None) -> None:
    """Run an edge gateway. Example: cityvitals gateway --config cityvitals.toml."""
    from cityvitals.process_gateway import run_gateway  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415

    run_gateway(load_settings(config))


def ingest(config: Config = None) -> None:
    """Run the ingest with the live KPI engine. Example: cityvitals ingest --config cityvitals.toml."""
    from cityvitals.process_ingest import run_ingest  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415

    run_ingest(load_settings(config))


def bridge(config: Config = None) -> None:
    """Write windows to Kafka, for a distributed engine. Example: cityvitals bridge --config c.toml."""
    from cityvitals.operation.bridge import run_bridge  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415

    run_bridge(load_settings(config))


def values(config: Config = None) -> None:
    """Store the KPI values that a distributed engine writes to Kafka. Example: cityvitals values --config c.toml."""
    from cityvitals.operation.bridge import run_values  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415

    run_values(load_settings(config))


def archive(config: Config = None) -> None:
    """Store the windows that are in Kafka, so that a city can return. Example: cityvitals archive --config c.toml."""
    from cityvitals.operation.bridge import run_archive  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415

    run_archive(load_settings(config))


def move(city: Annotated[str, typer.Argument(help="Id of the city.", metavar="city")], config: Config = None) -> None:
    """Write all that the store has of a city to Kafka. Example: cityvitals move aba --config c.toml."""
    from cityvitals.operation.bridge import run_move  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415

    count = run_move(load_settings(config), city)
    typer.echo(
        f"{count:,} records of {city} are in Kafka; start the bridge: its first record of the city begins the job."
    )


def api(config: Config = None) -> None:
    """Run the HTTP API and the live page. Example: cityvitals api --config cityvitals.toml."""
    from cityvitals.operation.through_api import operator  # noqa: PLC0415
    from cityvitals.process_api import run_api  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415

    settings = load_settings(config)
    run_api(settings, operator(settings))


def simulate(config: Config = None) -> None:
    """Run simulated nodes for every device of the configured cities. Example: cityvitals simulate --config c.toml."""
    from cityvitals.processes import run_simulate  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415

    run_simulate(load_settings(config))


def broker(
    port: Annotated[int, typer.Option(help="The port to listen on.")],
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
) -> None:
    """Run the embedded broker; the demo uses it where there is no Mosquitto."""
    from cityvitals.local.broker import run_amqtt  # noqa: PLC0415

    run_amqtt(port, host)


COMMANDS = (gateway, ingest, bridge, values, archive, move, api, simulate)
