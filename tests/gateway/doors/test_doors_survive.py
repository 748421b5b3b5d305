"""The gateway is killed while clients push and charge: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import threading
import time
from pathlib import Path

import httpx
import pytest
import websockets

from adapters.sqlite.blocks import readable
from tests.chain import Chain
from tests.gateway.doors.door_bench import CITY, closed_port, recent
from tests.processes import wait_for

KILLS = 20 if os.environ.get("CITYVITALS_LONG") else 3
pytestmark = pytest.mark.timeout(1200)


class Bench(Chain):
    """A gateway process with both doors, brokers away."""

    def __init__(self, folder: Path) -> None:
        city = folder / "town.toml"
        city.write_text(
            f'[city]\nid = "{CITY.id}"\nname = "Town"\ncountry = "DE"\ntimezone = "Europe/Berlin"\n', encoding="utf-8"
        )
        super().__init__(folder, city, closed_port(), f"sqlite:///{folder}/store.db")
        self.push, self.ocpp = closed_port(), closed_port()
        self.config.write_text(
            self.config.read_text()
            + f"[gateway.push]\nport = {self.push}\n[gateway.ocpp]\nport = {self.ocpp}\n"
            + '[[gateway.source]]\nfamily = "line_protocol"\ncity = "town"\n'
            + '[[gateway.source]]\nfamily = "ocpp"\ncity = "town"\n'
        )

    def rows(self, quantity: str) -> list[tuple[str, float]]:
        with readable(sqlite3.connect(f"file:{self.folder}/gateway.db?mode=ro", uri=True)) as db:
            sql = (
                "SELECT device, value FROM every_reading JOIN buffer_series ON buffer_series.id = series"
                " WHERE quantity = ? ORDER BY t, value"
            )
            return list(db.execute(sql, (quantity,)).fetchall())


def pusher(bench: Bench, stop: threading.Event, acknowledged: list[int]) -> None:
    """Send numbered lines with times of their own; one that was not acknowledged is repeated."""
    base, n = 1_763_600_000_000, 0  # 2025-11-20
    client = httpx.Client(timeout=5)
    while not stop.is_set():
        line = f"meter,device=m1 energy_total={n + 1} {base + n * 1000}"
        try:
            answer = client.post(f"http://127.0.0.1:{bench.push}/write?precision=ms", content=line)
        except httpx.HTTPError:
            time.sleep(0.02)
            continue
        if answer.status_code == 204:
            acknowledged.append(n + 1)
            n += 1


async def charge(bench: Bench, stop: threading.Event, energy: list[int]) -> None:
    """One station: sessions one after another; a call without an answer is repeated on a new connection."""
    waiting: list[tuple[str, dict[str, object]]] = []
    number, session = 0, 0
    while True:
        if not waiting and stop.is_set():
            return
        try:
            async with websockets.connect(f"ws://127.0.0.1:{bench.ocpp}/cp1", subprotocols=["ocpp1.6"]) as link:  # type: ignore[list-item]
                while True:
                    if not waiting:
                        if stop.is_set():
                            return
                        start = {
                            "connectorId": 1,
                            "idTag": "c",
                            "meterStart": session,
                            "timestamp": recent(7200 - session),
                        }
                        waiting.append(("StartTransaction", start))
                    action, body = waiting[0]
                    await link.send(json.dumps([2, f"{session}-{action}", action, body]))
                    answer = json.loads(await asyncio.wait_for(link.recv(), 5))
                    waiting.pop(0)
                    if action == "StartTransaction":
                        number, used = answer[2]["transactionId"], 1000 + session
                        end = {
                            "transactionId": number,
                            "meterStop": session + used,
                            "timestamp": recent(3600 - session),
                        }
                        waiting.append(("StopTransaction", end))
                    else:
                        energy.append(1000 + session)
                        session += 1
        except (OSError, TimeoutError, websockets.WebSocketException):
            await asyncio.sleep(0.02)


def test_what_was_acknowledged_is_there_once_after_every_kill(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    stop, acknowledged, energy = threading.Event(), list[int](), list[int]()
    threads = [
        threading.Thread(target=pusher, args=(bench, stop, acknowledged)),
        threading.Thread(target=lambda: asyncio.run(charge(bench, stop, energy))),
    ]
    try:
        bench.run("gateway")
        for thread in threads:
            thread.start()
        for _ in range(KILLS):
            before = len(acknowledged), len(energy)
            wait_for(lambda: len(acknowledged) > before[0] + 20 and len(energy) > before[1] + 3, 60, "both clients")  # noqa: B023
            bench.processes["gateway"].kill()
            bench.processes["gateway"].wait()
            bench.run("gateway")
        before = len(acknowledged), len(energy)
        wait_for(lambda: len(acknowledged) > before[0] and len(energy) > before[1], 60, "both after the last kill")
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
        bench.stop()
    held = [value for _, value in bench.rows("energy_total")]
    assert set(acknowledged) <= set(held)
    assert len(held) == len(set(held)), "counted twice"
    assert len(held) - len(acknowledged) <= 1, "at most the one in flight"
    sessions = bench.rows("session_energy")
    assert sorted(value for _, value in sessions) == [e / 1000 for e in energy]
    print(f"{KILLS} kills: {len(acknowledged)} pushes and {len(energy)} sessions acknowledged, all there once")
