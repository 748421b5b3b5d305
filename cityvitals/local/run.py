"""`cityvitals run`: one city on one machine, from the two files of `cityvitals init`."""

from __future__ import annotations

import os
import time
from pathlib import Path

from rich.console import Console

from api.server import listen as reserve
from cityvitals.local.broker import mosquitto
from cityvitals.local.children import Local, Watched, answers, connects, interruptible
from registry.config import load_city, load_settings
from telemetry.errors import UsageError

_PARTS = ("gateway", "ingest", "api")


def run(folder: Path, port: int | None, broker_port: int, address: str, seconds: float | None) -> None:
    """Run broker, gateway, ingest and API for `seconds`, or until interrupted. Raises UsageError, CityVitalsError."""
    config = folder / "cityvitals.toml"
    if not config.is_file():
        raise UsageError(f"There is no {config}; create a city with: cityvitals init {folder}")
    settings = load_settings(config)
    for path in settings.city_files:
        load_city(path)
    web = port or settings.api.port
    reserve("127.0.0.1", web).close()
    if connects(broker_port):
        raise UsageError(
            f"Port {broker_port} is in use; stop that broker (of Debian: sudo systemctl disable --now mosquitto), or"
            " choose another with --broker-port, and publish to it with mosquitto_pub -p."
        )
    folder = folder.resolve()
    console, local = Console(highlight=False), Local(folder, environment=_environment(web, broker_port))
    with interruptible(local.stop):
        try:
            local.start_broker(broker_port, address)
            local.start(_PARTS, config.resolve())
            local.wait("the API", lambda: answers(f"http://127.0.0.1:{web}/healthz"))
            local.wait_for_gateway()
            _print_addresses(console, folder, web, broker_port, address)
            watched = Watched(settings.city_files)
            end = time.monotonic() + seconds if seconds is not None else None
            while end is None or time.monotonic() < end:
                local.check()
                watched.take_over(local, config.resolve())
                time.sleep(0.2)
        except KeyboardInterrupt:
            pass
        console.print("stopping ...")
    console.print("stopped; nothing is left running.")


def _environment(web: int, broker_port: int) -> dict[str, str]:
    """The settings of the programs: one broker and one port."""
    url = f"mqtt://127.0.0.1:{broker_port}"
    return {
        "CITYVITALS__GATEWAY__BROKER__URL": url,
        "CITYVITALS__INGEST__BROKER__URL": url,
        "CITYVITALS__API__PORT": str(web),
    }


def _print_addresses(console: Console, folder: Path, web: int, broker_port: int, address: str) -> None:
    kind = "Mosquitto" if mosquitto() else "amqtt, embedded: for tests only"
    rows = (
        ("page", f"http://localhost:{web}"),
        ("broker", f"mqtt://{address}:{broker_port}  ({kind})"),
        ("data, logs", str(folder)),
    )
    for name, value in rows:
        console.print(f"  {name:<11} {value}", markup=False, soft_wrap=True)
    if address not in ("127.0.0.1", "localhost"):
        console.print("Everyone on this network can publish here; `cityvitals enrol` creates certificates.")
    console.print(f"Ctrl-C stops everything; the next start continues with the same data (pid {os.getpid()}).")
