"""A gateway with its doors in this process, its brokers away: what comes through the doors is on its disk."""

from __future__ import annotations

import socket
import sqlite3
import threading
from pathlib import Path
from typing import Any

from adapters.sqlite.blocks import readable
from cityvitals.clock import now_ms
from cityvitals.process_gateway import make_doors, make_gateway
from registry.city import City
from registry.settings import GatewaySettings
from telemetry.errors import Unavailable
from telemetry.periods import iso

CITY = City.model_validate(
    {"city": {"id": "town", "name": "Town", "country": "DE", "timezone": "Europe/Berlin"}, "device": []}
)


def closed_port() -> int:
    """A port at which nothing listens."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class DoorBench:
    """`away`: while it is set, the disk takes nothing."""

    def __init__(self, folder: Path, *sources: dict[str, Any], **settings: Any) -> None:
        self._settings = GatewaySettings.model_validate(
            {
                "broker": {"url": f"mqtt://127.0.0.1:{closed_port()}"},
                "buffer": str(folder / "gateway.db"),
                "source": [{"city": "town", **source} for source in sources],
                "push": {"port": 0},
                "ocpp": {"port": 0},
                **settings,
            }
        )
        self.away = threading.Event()
        self._stop, self._ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> DoorBench:
        self._thread.start()
        assert self._ready.wait(20), "the gateway did not start"
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)

    def _run(self) -> None:
        gateway = make_gateway(self._settings, [CITY])
        accept = gateway.core.accept

        def guarded(*arguments: Any) -> Any:
            if self.away.is_set():
                raise Unavailable("the disk is away")
            return accept(*arguments)

        gateway.core.accept = guarded  # type: ignore[method-assign, assignment]
        doors = make_doors(self._settings, gateway)
        for door in doors:
            door.start()
        self.push, self.ocpp = doors[0], doors[1]
        self._ready.set()
        while not self._stop.is_set():
            gateway.step(0.05)
        gateway.inbox.close()
        for door in doors:
            door.stop()
        gateway.source.close()
        gateway.uplink.close()
        gateway.core.buffer.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.push.port}"  # type: ignore[attr-defined]

    @property
    def station_url(self) -> str:
        return f"ws://127.0.0.1:{self.ocpp.port}"  # type: ignore[attr-defined]

    def rows(self) -> list[tuple[str, str, float, str]]:
        """Device, quantity, value and time of what is on disk."""
        with readable(sqlite3.connect(f"file:{self._settings.buffer}?mode=ro", uri=True)) as db:
            db.execute("BEGIN")  # both queries see one state; the gateway writes its own readings meanwhile
            names = dict(db.execute("SELECT id, device || '|' || quantity FROM buffer_series").fetchall())
            found = db.execute("SELECT series, value, t, key FROM every_reading ORDER BY series, t, key").fetchall()
        rows = []
        for series, value, t, _ in found:
            device, _, quantity = names[series].partition("|")
            if not quantity.startswith(("gw_", "ledger_")):
                rows.append((device, quantity, value, iso(t)))
        return rows

    def kept(self) -> list[str]:
        with readable(sqlite3.connect(f"file:{self._settings.buffer}?mode=ro", uri=True)) as db:
            return [reason for (reason,) in db.execute("SELECT reason FROM reject")]


def recent(seconds: float) -> str:
    """The time `seconds` ago, RFC 3339."""
    return iso(now_ms() - round(seconds * 1000))
