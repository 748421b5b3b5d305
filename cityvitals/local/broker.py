"""The broker of `demo` and `run`: Mosquitto when it is on the PATH, else amqtt in a process of its own."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

from cityvitals.processes import until_stopped

log = logging.getLogger(__name__)


def mosquitto() -> str | None:
    """Path of the Mosquitto program; Debian installs it where not every user's PATH points."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/sbin")


def mosquitto_config(port: int, folder: Path, host: str = "127.0.0.1") -> str:
    """A listener without passwords; nothing is dropped for a full queue, and sessions survive a restart."""
    return (
        f"listener {port} {host}\nallow_anonymous true\npersistence true\npersistence_location {folder.resolve()}/\n"
        "autosave_interval 5\nmax_inflight_messages 0\nmax_queued_messages 0\nlog_type warning\nlog_type error\n"
    )


def run_amqtt(port: int, host: str = "127.0.0.1") -> None:
    """Serve MQTT 3.1.1 until stopped. Enough for a demo (2-3 thousand messages a second), no more."""
    log.warning("mosquitto is not installed: using the embedded amqtt broker, which is for demos only")
    asyncio.run(_amqtt(port, host))


async def _amqtt(port: int, host: str) -> None:
    from amqtt.broker import Broker  # noqa: PLC0415 - only where no Mosquitto is

    stop = until_stopped()
    config = {
        "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }
    broker = Broker(config)
    await broker.start()
    while not stop():
        await asyncio.sleep(0.2)
    await broker.shutdown()
