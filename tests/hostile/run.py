"""One run: brokers with the shipped rules, gateway and ingest, honest devices, and one that is not."""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, wait
from deploy import make_secrets
from tests.hostile.attacks import ATTACKS, CITY, EVIL, Shot
from tests.processes import end, start, wait_for
from tests.servers import Mosquitto
from tests.shipped_brokers import DEPLOY

HONEST, INTERVAL_S = 1000, 5.0
BYTES_A_SECOND = 1 << 20
PATIENCE = 90.0
_HONEST = "FROM reading r JOIN buffer_series s ON s.id = r.series WHERE s.device GLOB 'h*' AND s.quantity = 'no2'"


@dataclass
class Outcome:
    """What a run shows. Latency: from the time a device gave its reading to its arrival, ms."""

    seed: int
    minutes: float
    attacks: dict[str, int] = field(default_factory=dict)
    attacked_mb: float = 0.0
    sent: int = 0
    lost: int = 0
    doubled: int = 0
    p99_ms: float = 0.0
    largest_ms: float = 0.0
    gateway_mb: float = 0.0
    ingest_mb: float = 0.0

    def __str__(self) -> str:
        return (
            f"seed {self.seed}, {self.minutes:g} min: {self.sent} honest readings, {self.lost} lost,"
            f" {self.doubled} doubled, p99 {self.p99_ms:.0f} ms, largest {self.largest_ms:.0f} ms; peak memory gateway"
            f" {self.gateway_mb:.0f} MB, ingest {self.ingest_mb:.0f} MB; {self.attacked_mb:.0f} MB of {self.attacks}"
        )


class World:
    """Everything that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        users = folder / "secrets"
        make_secrets.make(users)
        for name in ("fleet", EVIL):
            make_secrets.add_user(users / "edge.passwd", name, name)
        rules = (DEPLOY / "mosquitto" / "edge.acl").read_text()
        rules += "user fleet\ntopic write cv/1/+/+/data\n"
        rules = rules.replace("topic read cv/1/+/+/data\n", "topic read cv/1/+/+/data\ntopic read cv/1/+/+/flat\n", 1)
        rules += f"user {EVIL}\ntopic write cv/1/+/{EVIL}/flat\n"
        (users / "rules.acl").write_text(rules)
        access = f"use_username_as_clientid true\nacl_file {users}/rules.acl\npassword_file {users}/edge.passwd"
        self.edge = Mosquitto(folder / "edge", anonymous=False, extra=access)
        self.hub = Mosquitto(folder / "hub")
        self.password = (users / "edge_gateway").read_text().strip()
        self.gateway_db, self.store = folder / "gateway.db", folder / "store.db"

    def up(self) -> None:
        """Start brokers, gateway and ingest."""
        self.edge.start()
        self.hub.start()
        city = self.folder / "city.toml"
        city.write_text(
            f'[city]\nid = "{CITY}"\nname = "Chaos"\ncountry = "NG"\ntimezone = "Africa/Lagos"\n'
            + "".join(f'[[device]]\nid = "h{i}"\nkind = "air_lowcost"\nquantities = ["no2"]\n' for i in range(HONEST))
        )
        config = self.folder / "cityvitals.toml"
        config.write_text(
            f'city_files = ["{city}"]\n[gateway]\nbuffer = "{self.gateway_db}"\nmax_buffer_mb = 512\nuser_key = "k"\n'
            f'broker.url = "{self.edge.url}"\nbroker.username = "gateway"\nbroker.password = "{self.password}"\n'
            f'uplink.url = "{self.hub.url}"\n'
            '[[gateway.source]]\ntopic = "cv/1/{city}/{device}/data"\n'
            '[[gateway.source]]\ntopic = "cv/1/{city}/{device}/flat"\nformat = "flat_json"\n'
            f'[ingest]\nbroker.url = "{self.hub.url}"\nrejects = "{self.folder}/rejects.db"\n'
            f'[store]\nurl = "sqlite:///{self.store}"\n'
        )
        self.processes = {
            name: start([sys.executable, "-m", "cityvitals", name, "--config", config], log=self.folder / f"{name}.log")
            for name in ("gateway", "ingest")
        }
        for name, links in (("gateway", 2), ("ingest", 1)):
            wait_for(lambda n=name, c=links: self.log(n).count("connected to") >= c, 60, f"{name} to connect")

    def log(self, name: str) -> str:
        """What a process has said."""
        path = self.folder / f"{name}.log"
        return path.read_text() if path.exists() else ""

    def peak_mb(self, name: str) -> float:
        """The most memory a process had."""
        with suppress(OSError):
            for line in Path(f"/proc/{self.processes[name].pid}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
        return float("nan")

    def down(self) -> None:
        """End everything."""
        for process in getattr(self, "processes", {}).values():
            end(process)
        self.edge.stop()
        self.hub.stop()


def run(folder: Path, seed: int, minutes: float) -> Outcome:
    """Attack for some minutes, then wait until the honest readings are stored, and count them."""
    world, outcome = World(folder), Outcome(seed, minutes)
    try:
        world.up()
        sent = _storm(world, Random(seed), minutes * 60, outcome)
        outcome.sent = sum(sent.values())
        _settle(world, sent)
        _judge(world, sent, outcome)
    finally:
        world.down()
    return outcome


def _link(world: World, user: str, password: str, client: str = "") -> Link:
    return Link(Broker("127.0.0.1", world.edge.port, username=user, password=password), client or user, session=False)


def _storm(world: World, rng: Random, seconds: float, outcome: Outcome) -> Counter[str]:
    fleet, evil = _link(world, "fleet", "fleet"), _link(world, EVIL, EVIL)
    sent: Counter[str] = Counter()
    done: Counter[str] = Counter()
    began, budget, last = time.monotonic(), 0.0, time.monotonic()
    attack: Iterator[Shot] = iter(())
    number = 0
    while (now := time.monotonic()) - began < seconds:
        wait([fleet, evil], 0.005)
        fleet.delivered(), evil.delivered()
        due = min(int((now - began) / INTERVAL_S * HONEST), number + 200)
        while fleet.connected and number < due:
            device = f"h{number % HONEST}"
            record = {"n": "no2", "u": "ug/m3", "v": 20.0, "bt": time.time_ns() // 1_000_000 / 1000}
            fleet.publish(f"cv/1/{CITY}/{device}/data", json.dumps([record]).encode())
            sent[device] += 1
            number += 1
        budget, last = min(budget + (now - last) * BYTES_A_SECOND, BYTES_A_SECOND), now
        shots = 0
        while budget > 0 and shots < 300 and evil.connected:
            shot = next(attack, None)
            if shot is None:
                name = rng.choice(list(ATTACKS))
                done[name] += 1
                attack = ATTACKS[name](rng, time.time_ns() // 1_000_000)
                if rng.random() < 0.1:
                    _take_over(world)
                continue
            evil.publish(shot.topic, shot.payload, retain=shot.retain)
            size = len(shot.topic) + len(shot.payload) + 20
            budget, shots = budget - size, shots + 1
            outcome.attacked_mb += size / (1 << 20)
    until = time.monotonic() + 20
    while fleet._client._out_messages and time.monotonic() < until:
        wait([fleet, evil], 0.05)
    outcome.attacks = dict(done)
    fleet.close()
    evil.close()
    return sent


def _take_over(world: World) -> None:
    """Connect with the client id of the gateway and our own password."""
    thief = _link(world, EVIL, EVIL, "gateway-1-in")
    until = time.monotonic() + 1
    while not thief.connected and time.monotonic() < until:
        thief.receive(0.02)
    thief.abort()


def _rows(world: World) -> Counter[str]:
    return Counter(dict(_ask(world.gateway_db, f"SELECT s.device, count(*) {_HONEST} GROUP BY 1")))


def _stored(world: World) -> Counter[str]:
    sql = (
        'SELECT s.device, sum(w.n) FROM "window" w JOIN series s ON s.id = w.series'
        " WHERE s.device GLOB 'h*' AND s.quantity = 'no2' GROUP BY 1"
    )
    return Counter(dict(_ask(world.store, sql)))


def _ask(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        return db.execute(sql).fetchall()


def _settle(world: World, sent: Counter[str]) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with suppress(sqlite3.Error):
            if _stored(world) >= sent:
                return
        time.sleep(1.0)


def _judge(world: World, sent: Counter[str], outcome: Outcome) -> None:
    held, stored = _rows(world), _stored(world)
    outcome.lost = sum((sent - held).values()) + sum((sent - stored).values())
    outcome.doubled = sum((held - sent).values()) + sum((stored - sent).values())
    late = np.array([row[0] for row in _ask(world.gateway_db, f"SELECT r.arrival - r.t {_HONEST}")], dtype=np.float64)
    outcome.p99_ms, outcome.largest_ms = (
        (float(np.percentile(late, 99)), float(late.max())) if len(late) else (0.0, 0.0)
    )
    outcome.gateway_mb, outcome.ingest_mb = world.peak_mb("gateway"), world.peak_mb("ingest")
