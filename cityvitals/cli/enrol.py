"""`cityvitals enrol`: certificates for brokers, gateways and devices, and their revocation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Certificates: who may connect to the city's brokers.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="enrol")


Folder = Annotated[Path, typer.Option("--folder", help="Where authorities and certificates are kept.")]
Days = Annotated[int, typer.Option(help="For how many days it is valid.", min=1, max=7300)]
Id = Annotated[str, typer.Argument(help="The id: the same as in CITY.toml or [gateway].")]
_HOME = Path("pki")


@app.command()
def ca(city: Annotated[str, typer.Option("--city", help="The city's id.")], folder: Folder = _HOME) -> None:
    """Make the city's two authorities. Example: cityvitals enrol ca --city aberdeen."""
    from edge.tools import enrol  # noqa: PLC0415

    enrol.make_authorities(folder, city, enrol.utc_now())
    typer.echo(f"The authorities are in {folder}. Keep {folder}/*-ca.key off every machine that is on the network.")


@app.command()
def broker(
    name: Id,
    host: Annotated[list[str] | None, typer.Option(help="A name or address of the broker; may be repeated.")] = None,
    devices: Annotated[bool, typer.Option("--devices", help="The edge broker: for devices, not gateways.")] = False,
    port: Annotated[int, typer.Option(help="The port of the listener.", min=1, max=65535)] = 8883,
    folder: Folder = _HOME,
    days: Days = 730,
    at: Annotated[Path | None, typer.Option(help="The broker's folder for copies of the files.")] = None,
) -> None:
    """A broker's certificate and its listener for mosquitto.conf. Example: cityvitals enrol broker hub.

    What is printed goes at the end of mosquitto.conf; its first line tells what to do before.
    """
    from edge.tools import enrol  # noqa: PLC0415

    enrol.enrol(folder, "broker", name, enrol.utc_now(), days, host or ["localhost"])
    typer.echo(enrol.listener(folder, name, "devices" if devices else "infrastructure", port, at), nl=False)


@app.command()
def gateway(name: Id, folder: Folder = _HOME, days: Days = 730) -> None:
    """A gateway's certificate, for the hub. Example: cityvitals enrol gateway gateway-1."""
    _issue(folder, "gateway", name, days)


@app.command()
def device(
    name: Id,
    folder: Folder = _HOME,
    days: Days = 730,
    node: Annotated[str, typer.Option("--node", help="A node of ours: air, energy or ev.")] = "",
    broker_url: Annotated[str, typer.Option("--broker", help="Where the node connects.")] = "",
    driver: Annotated[list[str] | None, typer.Option(help="Another choice of sensors; may be repeated.")] = None,
    wifi: Annotated[str, typer.Option(help="The name of the Wi-Fi network.")] = "",
    wifi_password_file: Annotated[Path | None, typer.Option(help="A file with its password.")] = None,
    ntp: Annotated[list[str] | None, typer.Option(help="A time server; may be repeated.")] = None,
    interval_s: Annotated[int, typer.Option(help="Seconds between two readings.")] = 60,
) -> None:
    """A device's certificate, for the edge broker. Example: cityvitals enrol device aq-001.

    With --node also all that a node's board needs, in one folder:
    cityvitals enrol device aq-001 --node air --broker mqtts://gateway.local --wifi sensors
    """
    from adapters.mqtt.broker import Broker  # noqa: PLC0415
    from edge.tools import enrol, node_enrol  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    if not node:
        if broker_url or driver or wifi or wifi_password_file or ntp:
            raise UsageError(
                "--broker, --driver, --wifi and --ntp are for our own nodes; say --node air, energy or ev."
            )
        _issue(folder, "device", name, days)
        return
    if not broker_url:
        raise UsageError("Say where the node connects: --broker mqtts://gateway.local:8883.")
    network = {"ssid": wifi, "password": _password(wifi_password_file)} if wifi else {}
    place = Broker.parse(broker_url)
    now = enrol.utc_now()
    files, board = node_enrol.enrol_node(
        folder, name, node, place, now, days, driver or [], network, ntp or [], interval_s
    )
    typer.echo(f"{name}: {files.certificate}, {files.key}")
    typer.echo(f"For the board: {board}; look at {board}/node.json, then `cityvitals node flash {board}`.")


def _password(path: Path | None) -> str:
    from registry.secret_files import read_secret  # noqa: PLC0415

    return read_secret(path, "The Wi-Fi password") if path else ""


def _issue(folder: Path, kind: str, name: str, days: int) -> None:
    from edge.tools import enrol  # noqa: PLC0415

    files = enrol.enrol(folder, "device" if kind == "device" else "gateway", name, enrol.utc_now(), days)
    typer.echo(f"{name}: {files.certificate}, {files.key}; as DER: {files.der}, {files.der_key}")


@app.command()
def revoke(name: Id, folder: Folder = _HOME) -> None:
    """Take an id's right to connect away. Example: cityvitals enrol revoke aq-001."""
    from edge.tools import enrol  # noqa: PLC0415

    revoked = enrol.revoke(folder, name, enrol.utc_now())
    typer.echo(f"{name} is on {revoked.listed}; copy the list to the broker and restart it.")
    if revoked.board:
        typer.echo(
            f"What its board was given, with the password of the Wi-Fi, is in {revoked.board} now; delete that folder"
            " when you need nothing of it. A node that was stolen knows this password: change it."
        )
