"""`cityvitals enrol`: certificates for brokers, gateways and devices, and their revocation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cityvitals.cli import NODES
from cityvitals.options import CityId, Pki

app = typer.Typer(help="Certificates for the city's brokers, gateways and devices.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="enrol", rich_help_panel=NODES)


Days = Annotated[int, typer.Option(help="Days of validity.", min=1, max=7300)]
Id = Annotated[str, typer.Argument(help="The id: the same as in CITY.toml or [gateway].")]
_HOME = Path("pki")


@app.command()
def ca(city: CityId, pki: Pki = _HOME) -> None:
    """Create the city's two certificate authorities. Example: cityvitals enrol ca --city aberdeen."""
    from edge.tools import enrol  # noqa: PLC0415

    enrol.make_authorities(pki, city, enrol.utc_now())
    typer.echo(f"The authorities are in {pki}. Keep {pki}/*-ca.key on a machine that is not on the network.")


@app.command()
def broker(
    name: Id,
    host: Annotated[list[str] | None, typer.Option(help="A name or address of the broker; may be repeated.")] = None,
    devices: Annotated[
        bool, typer.Option("--devices", help="For the edge broker: its clients are devices, not gateways.")
    ] = False,
    port: Annotated[int, typer.Option(help="The port of the listener.", min=1, max=65535)] = 8883,
    pki: Pki = _HOME,
    days: Days = 730,
    copies: Annotated[
        Path | None, typer.Option(help="A folder that the broker can read, for copies of the files.")
    ] = None,
) -> None:
    """Create a broker's certificate and print its listener. Example: cityvitals enrol broker hub.

    Append the output to mosquitto.conf; its first line states what to do before.
    """
    from edge.tools import enrol  # noqa: PLC0415

    enrol.enrol(pki, "broker", name, enrol.utc_now(), days, host or ["localhost"])
    typer.echo(enrol.listener(pki, name, "devices" if devices else "infrastructure", port, copies), nl=False)


@app.command()
def gateway(name: Id, pki: Pki = _HOME, days: Days = 730) -> None:
    """Create a gateway's certificate for the central broker. Example: cityvitals enrol gateway gateway-1."""
    _issue(pki, "gateway", name, days)


@app.command()
def device(
    name: Id,
    pki: Pki = _HOME,
    days: Days = 730,
    kind: Annotated[
        str, typer.Option("--kind", help="For a CityVitals node: its kind: air, energy, ev or weather.")
    ] = "",
    board: Annotated[str, typer.Option(help="The board of the node: esp32s3, esp32 or esp32c3.")] = "esp32s3",
    broker_url: Annotated[str, typer.Option("--broker", help="The broker of the node.")] = "",
    driver: Annotated[
        list[str] | None, typer.Option(help="A sensor driver instead of the kind's default; may be repeated.")
    ] = None,
    wifi: Annotated[str, typer.Option(help="The name of the Wi-Fi network.")] = "",
    wifi_password_file: Annotated[Path | None, typer.Option(help="A file with the Wi-Fi password.")] = None,
    time_server: Annotated[list[str] | None, typer.Option(help="A time server; may be repeated.")] = None,
    interval_s: Annotated[int, typer.Option(help="Seconds between two readings.")] = 60,
) -> None:
    """Create a device's certificate for the edge broker. Example: cityvitals enrol device aq-001.

    With --kind, also write everything that a node's board needs into one folder:
    cityvitals enrol device aq-001 --kind air --broker mqtts://gateway.local --wifi sensors
    """
    from adapters.mqtt.broker import Broker  # noqa: PLC0415
    from edge.tools import enrol, node_enrol  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    if not kind:
        if broker_url or driver or wifi or wifi_password_file or time_server:
            raise UsageError("--broker, --driver, --wifi and --time-server need --kind air, energy, ev or weather.")
        _issue(pki, "device", name, days)
        return
    if not broker_url:
        raise UsageError("Name the broker of the node: --broker mqtts://gateway.local:8883.")
    network = {"ssid": wifi, "password": _password(wifi_password_file)} if wifi else {}
    place = Broker.parse(broker_url)
    now = enrol.utc_now()
    files, home = node_enrol.enrol_node(
        pki, name, kind, place, now, days, driver or [], network, time_server or [], interval_s, board
    )
    typer.echo(f"{name}: {files.certificate}, {files.key}")
    typer.echo(f"For the board: {home}; check {home}/node.json, then run `cityvitals node flash {home}`.")


def _password(path: Path | None) -> str:
    from registry.secret_files import read_secret  # noqa: PLC0415

    return read_secret(path, "The Wi-Fi password") if path else ""


def _issue(pki: Path, kind: str, name: str, days: int) -> None:
    from edge.tools import enrol  # noqa: PLC0415

    files = enrol.enrol(pki, "device" if kind == "device" else "gateway", name, enrol.utc_now(), days)
    typer.echo(f"{name}: {files.certificate}, {files.key}; as DER: {files.der}, {files.der_key}")


@app.command()
def code(
    name: Id,
    kind: Annotated[str, typer.Option("--kind", help="The kind of node: air, energy, ev or weather.")],
    broker_url: Annotated[str, typer.Option("--broker", help="The broker of the node.")],
    pki: Pki = _HOME,
    hours: Annotated[float, typer.Option(help="How long the code is valid.", min=0.1, max=720)] = 24,
    days: Days = 730,
    board: Annotated[str, typer.Option(help="The board of the node: esp32s3, esp32 or esp32c3.")] = "esp32s3",
    driver: Annotated[
        list[str] | None, typer.Option(help="A sensor driver instead of the kind's default; may be repeated.")
    ] = None,
    time_server: Annotated[list[str] | None, typer.Option(help="A time server; may be repeated.")] = None,
    interval_s: Annotated[int, typer.Option(help="Seconds between two readings.")] = 60,
) -> None:
    """Make a one-time code for a node without a cable.

    Example: cityvitals enrol code aq-002 --kind air --broker mqtts://gateway.local
    """
    from edge.tools import codes, enrol  # noqa: PLC0415

    now = enrol.utc_now()
    until = now.timestamp() + hours * 3600
    entry = codes.Entry(
        name, kind, broker_url, until, days, driver or [], time_server or [], interval_s, board
    )  # fmt: skip
    typer.echo(codes.make(pki, entry, now))
    typer.echo(
        f"Valid for {hours:g} hours, for one node. Enter it in the node's own Wi-Fi (cityvitals-...), with the address"
        " of the machine that runs `cityvitals enrol serve`.",
        err=True,
    )


@app.command()
def serve(
    pki: Pki = _HOME,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "0.0.0.0",
    port: Annotated[int, typer.Option(help="The port.", min=1, max=65535)] = 8443,
) -> None:
    """Enrol nodes by their codes until it is stopped.

    It listens over HTTPS. Example: cityvitals enrol serve.

    It signs certificates, so it needs the authorities' keys: run it only while nodes are set up.
    """
    from edge.tools import enrol, enrol_server  # noqa: PLC0415
    from registry.extras import need  # noqa: PLC0415

    need("node", "cryptography", "starlette", "uvicorn")
    made = enrol_server.server(pki, host, port, typer.echo, enrol.utc_now())
    typer.echo(f"Enrolling nodes of {enrol.city_of(pki)} at port {port}; press Ctrl-C to stop.")
    made.run()


@app.command()
def revoke(name: Id, pki: Pki = _HOME) -> None:
    """Revoke the certificate of an id. Example: cityvitals enrol revoke aq-001."""
    from edge.tools import enrol  # noqa: PLC0415

    revoked = enrol.revoke(pki, name, enrol.utc_now())
    typer.echo(f"{name} is revoked in {revoked.listed}; copy this list to the broker and restart it.")
    if revoked.board:
        typer.echo(
            f"The files of its board, with the Wi-Fi password, are now in {revoked.board}; delete that folder"
            " when it is no longer needed. A stolen node contains this password: change it."
        )
