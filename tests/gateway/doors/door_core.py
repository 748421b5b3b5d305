"""A gateway's core with doors and no broker: what the doors bring is stored by a thread, as the gateway does it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from adapters.sqlite.buffer import Buffer
from cityvitals.clock import now_ms
from gateway.core import Core
from gateway.doors.inbox import Inbox
from gateway.sources import made_sources
from registry.settings import SourceSettings
from telemetry.series import SeriesTable


class DoorCore:
    """Takes deliveries of an inbox while it runs; `storing = False`: the disk is full."""

    def __init__(self, folder: Path, *sources: dict[str, Any]) -> None:
        self.path = folder / "gateway.db"
        settings = [SourceSettings.model_validate({"city": "town", **s}) for s in sources]
        self.sources = made_sources(settings, zone_of=lambda _: ZoneInfo("Europe/Berlin"))
        self.inbox, self.storing, self.denied = Inbox(), True, 0
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._rows: list[tuple[str, str, float, int]] = []
        self.reasons: list[str] = []
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        core = Core(Buffer(self.path, 60_000), self.sources)
        while not self._over.wait(0.01):
            deliveries = self.inbox.take()
            if not deliveries:
                continue
            if self.storing:
                core.accept([m for d in deliveries for m in d.messages], now_ms())
                self._note(core)
            else:
                self.denied += 1
            self.inbox.answer(deliveries, self.storing)
        self.inbox.close()

    def _note(self, core: Core) -> None:
        table: SeriesTable = core.buffer.table
        rows = core.buffer.db.execute("SELECT series, value, t FROM every_reading ORDER BY t, key").fetchall()
        with self._lock:
            self._rows = [(table[s].device, table[s].quantity, value, t) for s, value, t in rows]
            self.reasons = [r.reason for r in core.buffer.rejects.newest()]

    def rows(self, device: str = "", quantity: str = "") -> list[tuple[str, str, float, int]]:
        """Stored readings: device, quantity, value, time."""
        with self._lock:
            return [r for r in self._rows if device in ("", r[0]) and quantity in ("", r[1])]

    def values(self, device: str, quantity: str) -> list[float]:
        return [r[2] for r in self.rows(device, quantity)]

    def stop(self) -> None:
        self._over.set()
        self._thread.join(10)
