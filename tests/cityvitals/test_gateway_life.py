"""The gateway's life: a full disk, a full buffer, a broker that forgets it, an orderly end."""

from __future__ import annotations

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, wait
from adapters.sqlite.blocks import readable
from adapters.sqlite.buffer import Buffer
from adapters.sqlite.store import SqliteStore
from cityvitals import process_gateway
from gateway.core import Core, Source
from gateway.service import Gateway
from telemetry.readings import Readings
from telemetry.series import Series, SeriesTable
from telemetry.topics import stored_topic
from telemetry.windows import DAY, HOUR, MINUTE
from tests.chain import Chain
from tests.chaos.world import CITY
from tests.processes import busy, wait_for
from tests.servers import Mosquitto

SOURCE = Source("cv/1/{city}/{device}/data", "senml")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def publish(link: Link, device: str, values: list[tuple[int, float]], boot: int | None = None) -> None:
    """One message a value; returns once the broker has acknowledged all."""
    left = set()
    for seq, (t, value) in enumerate(values):
        label = f',"boot":{boot},"seq":{seq}' if boot is not None else ""
        body = f'[{{"n":"no2","u":"ug/m3","v":{value},"bt":{t / 1000}{label}}}]'.encode()
        left.add(link.publish(f"cv/1/chaos/{device}/data", body))

    def settled() -> bool:
        wait([link], 0.05)
        left.difference_update(link.delivered())
        return not left

    wait_for(settled, 30, "the broker's acknowledgements")


@pytest.fixture
def node(mosquitto: Mosquitto) -> Iterator[Link]:
    link = Link(Broker("127.0.0.1", mosquitto.port), f"node-{os.urandom(4).hex()}", session=False)
    yield link
    link.close()


def count(path: Path, sql: str = "SELECT count(*) FROM every_reading") -> int:
    if not path.exists():
        return 0
    with closing(readable(sqlite3.connect(f"file:{path}?mode=ro", uri=True))) as db:
        try:
            return int(db.execute(sql).fetchone()[0])
        except sqlite3.OperationalError:
            return 0


def devices(path: Path, name: str = "air-1") -> str:
    return f"SELECT count(*) FROM every_reading r JOIN buffer_series s ON s.id = r.series WHERE s.device = '{name}'"


@pytest.mark.parametrize("name", ["gateway", "ingest"])
def test_a_process_ends_within_ten_seconds_and_loses_nothing(name: str, server: object, tmp_path: Path) -> None:
    broker = server(Mosquitto)  # type: ignore[operator]
    chain = Chain(tmp_path, CITY, broker.port, f"sqlite:///{tmp_path}/store.db")
    link = Link(Broker("127.0.0.1", broker.port), "node", session=False)
    try:
        for part in ("gateway", "ingest"):
            chain.run(part)
        wait_for(lambda: "connected" in chain.log("gateway") and "connected" in chain.log("ingest"), 30, "both to run")
        publish(link, "air-1", [(now_ms() - 1000 * n, 1.0) for n in range(200)])
        process = chain.processes[name]
        process.send_signal(signal.SIGTERM)
        publish(link, "air-1", [(now_ms() - 1000 * n - 500_500, 1.0) for n in range(200)])
        assert process.wait(10 * busy()) == 0
        chain.run(name)
        store = SqliteStore(tmp_path / "store.db")

        def stored() -> bool:
            table = SeriesTable()
            parts = list(store.partials("chaos", "window", 0, 1 << 52, table))
            mine = [table[s].device == "air-1" and table[s].quantity == "no2" for p in parts for s in p.series.tolist()]
            counts: list[int] = [n for p in parts for n in p.n.tolist()]
            return sum(n for m, n in zip(mine, counts, strict=True) if m) == 400

        wait_for(stored, 40, "all 400 readings in the store")
        store.close()
    finally:
        link.close()
        chain.stop()


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root makes a small file system")
def test_with_a_full_disk_nothing_is_acknowledged_and_with_room_it_goes_on(server: object, tmp_path: Path) -> None:
    broker = server(Mosquitto)  # type: ignore[operator]
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "small", disk], check=True)
    chain = Chain(tmp_path, CITY, broker.port, "sqlite:///unused.db")
    text = chain.config.read_text().replace(json.dumps(str(tmp_path / "gateway.db")), json.dumps(str(disk / "g.db")))
    chain.config.write_text(text)
    link = Link(Broker("127.0.0.1", broker.port), "node", session=False)
    try:
        chain.run("gateway")
        wait_for(lambda: "connected" in chain.log("gateway"), 30, "the gateway to run")
        start = now_ms()
        publish(link, "air-1", [(start - n, 1.0) for n in range(20)])
        wait_for(lambda: count(disk / "g.db", devices(disk)) == 20, 20, "the first readings")
        ballast = disk / "ballast"
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        publish(link, "air-1", [(start - 1000 - n, 1.0) for n in range(3000)])
        wait_for(lambda: "nothing is acknowledged" in chain.log("gateway"), 30, "the gateway to say so")
        assert "full" in chain.log("gateway")
        ballast.unlink()
        wait_for(lambda: count(disk / "g.db", devices(disk)) == 3020, 90, "all readings")
        wait_for(lambda: "storing again" in chain.log("gateway"), 10, "the gateway to say that it goes on")
        assert chain.log("gateway").count("nothing is acknowledged") <= 3  # said, not repeated
    finally:
        link.close()
        chain.stop()
        subprocess.run(["umount", disk], check=True)


def filled(folder: Path, hours: int) -> Buffer:
    buffer = Buffer(folder / "gateway.db", MINUTE)
    series = buffer.table.id_of(Series("aba", "s1", "no2"))
    times = [n * MINUTE for n in range(hours * 60)]
    buffer.put(Readings.of([series] * len(times), times, [1.0] * len(times), arrival=[t + 1 for t in times]))
    return buffer


def test_a_full_buffer_gives_up_the_oldest_unsent_hours_and_counts_them(tmp_path: Path) -> None:
    buffer = filled(tmp_path, 48)
    limit = buffer.used_bytes() // 2
    deleted = buffer.prune(0, limit)
    assert buffer.used_bytes() <= limit
    assert buffer.counters()["gw_dropped"] == deleted > 0
    assert buffer.pruned_before % HOUR == 0
    assert buffer.backlog() == (48 * 60 - deleted, buffer.pruned_before)


def test_what_is_sent_goes_before_what_is_not(tmp_path: Path) -> None:
    buffer = filled(tmp_path, 72)
    dirty, _ = buffer.dirty(24 * 60, newest_first=False)
    buffer.confirm(dirty)
    buffer.prune(HOUR // 2, 1 << 40)
    assert buffer.pruned_before == 0  # all of the hour must have arrived that long ago
    buffer.prune(12 * HOUR + MINUTE, 1 << 40)
    assert buffer.pruned_before == 12 * HOUR
    buffer.prune(2 * DAY, 1 << 40)
    assert buffer.counters().get("gw_dropped") is None
    assert buffer.pruned_before == DAY
    assert buffer.backlog() == (48 * 60, DAY)


def gateway(folder: Path, port: int, clock: list[int], name: str) -> Gateway:
    place = Broker("127.0.0.1", port)
    core = Core(Buffer(folder / "gateway.db", MINUTE), [Source(f"cv/1/{name}/{{device}}/data", "senml", city=name)])
    source = Link(place, f"{name}-in", [f"cv/1/{name}/+/data"])
    return Gateway(name, core, source, Link(place, f"{name}-up", [stored_topic("+", name)]), lambda: clock[0])


def test_a_broker_that_is_connected_but_silent_is_left_and_joined_again(
    mosquitto: Mosquitto, node: Link, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock = [now_ms()]
    made = gateway(tmp_path, mosquitto.port, clock, "silent")

    def until(condition: object) -> None:
        def step() -> bool:
            made.step(0.02)
            wait([node], 0.0)
            return bool(condition())  # type: ignore[operator]

        wait_for(step, 20, "the gateway")

    def send() -> None:
        node.publish("cv/1/silent/d1/data", f'[{{"n":"no2","v":1,"bt":{clock[0] / 1000}}}]'.encode())

    until(lambda: made.source.connected and node.connected)
    send()
    until(lambda: made._heard)
    made.source._client.unsubscribe("cv/1/silent/+/data")  # as if the broker had forgotten
    until(lambda: not made.source._client.want_write())
    with caplog.at_level(logging.WARNING):
        clock[0] += made.silent_ms + 1
        until(lambda: "has sent nothing for" in caplog.text)
    until(lambda: made.source.connected)
    before = made.core.buffer.counters()["gw_received"]
    clock[0] += 1000

    def heard() -> bool:
        send()
        return made.core.buffer.counters()["gw_received"] > before

    until(heard)
    made.source.close()
    made.uplink.close()


def test_timers_go_on_when_the_clock_is_set_back(mosquitto: Mosquitto, node: Link, tmp_path: Path) -> None:
    clock = [now_ms() + 5 * HOUR]
    made = gateway(tmp_path, mosquitto.port, clock, "back")

    def connected() -> bool:
        made.step(0.02)
        return made.uplink.connected

    wait_for(connected, 20, "the gateway")
    clock[0] += 1000
    made.step(0.0)
    ahead = made._next_flush
    clock[0] -= 5 * HOUR
    made.step(0.0)
    assert made._next_flush < ahead - 4 * HOUR
    made.source.close()
    made.uplink.close()


def test_what_ingest_did_not_confirm_is_sent_again_when_it_confirms_something_later(tmp_path: Path) -> None:
    core = Core(Buffer(tmp_path / "gateway.db", MINUTE), [SOURCE])
    sent = []
    for minute in range(3):
        series = core.buffer.table.id_of(Series("aba", "s1", "no2"))
        core.buffer.put(Readings.of([series], [minute * MINUTE], [1.0]))
        sent += core.assign_messages(*core.pending())
    assert [p.number for p in sent] == [1, 2, 3]
    assert not len(core.pending()[0].window)
    assert core.buffer.confirm_messages("aba", [1]) == 0
    assert core.buffer.confirm_messages("aba", [3]) == 1
    assert core.pending()[0].window.tolist() == [MINUTE]
    assert core.buffer.confirm_messages("abb", [99]) == 0  # another city's messages come by another way


def test_a_window_that_changed_after_it_was_sent_outlives_the_receipt(tmp_path: Path) -> None:
    core = Core(Buffer(tmp_path / "gateway.db", MINUTE), [SOURCE])
    series = core.buffer.table.id_of(Series("aba", "s1", "no2"))
    core.buffer.put(Readings.of([series], [1000], [1.0]))
    [parcel] = core.assign_messages(*core.pending())
    core.buffer.put(Readings.of([series], [2000], [1.0]))
    core.buffer.confirm_messages("aba", [parcel.number])
    assert core.pending()[1].n.tolist() == [2]


def test_a_gateway_whose_clock_is_behind_its_readings_waits_until_it_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    buffer = filled(tmp_path, 48)
    own = buffer.table.id_of(Series("aba", "gw", "gw_stored"))
    buffer.put(Readings.of([own], [90 * DAY], [1.0]))  # written while the clock was ahead: no proof
    buffer.put(Readings.of([0], [91 * DAY], [1.0]))  # nor what was dated by its arrival then
    buffer.put(Readings.of([0], [92 * DAY], [1.0], key=[7], arrival=[92 * DAY + 50]))
    newest = buffer.newest_window()
    assert newest == 48 * HOUR - MINUTE
    shown = iter([HOUR, 2 * HOUR, newest - 6 * MINUTE, newest - 4 * MINUTE])
    monkeypatch.setattr(process_gateway, "now_ms", lambda: next(shown))
    monkeypatch.setattr(process_gateway, "time", SimpleNamespace(sleep=lambda _s: None))
    process_gateway.await_clock(newest, lambda: False)
    assert next(shown, None) is None
    assert caplog.text.count("waiting until it is set") == 1
    process_gateway.await_clock(newest, lambda: True)  # and it can be stopped
