"""Everything that runs in a chaos run: two brokers, proxies between all parts, gateway, ingest, store and nodes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from random import Random

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link, wait
from registry.config import load_city
from tests.chaos.clients import STATION, TOKEN, ChargingStation, Door, Pusher
from tests.chaos.direct import REPAIRED
from tests.chaos.fleet import Fleet
from tests.chaos.network import Line, why_not
from tests.chaos.proxy import Proxy
from tests.processes import busy, end, free_port, start, wait_for
from tests.servers import InfluxDB, Mosquitto, Server

CITY = Path(__file__).with_name("city.toml")
CITIES = {"chaos": CITY, "other": Path(__file__).with_name("city2.toml")}
RETENTION = "30d"  # of the InfluxDB: months and years begin before it; one device is older
INSIDE = ("gateway", "ingest")  # what runs at the end of a line of its own, where there can be lines
LINKS = ("nodes-edge", "gateway-edge", "gateway-hub", "ingest-hub", "ingest-store")
DISK_MB = 48
INTERVAL_MS = 250  # of the nodes


class World:
    """All parts. `mutant`: a mistake planted in gateway and ingest, see mutants.py."""

    def __init__(self, folder: Path, influx: bool, keeping: bool, rng: Random, mutant: str = "none") -> None:
        self.folder, self.mutant, self.keeping = folder, mutant, keeping
        _clear(folder)
        self.clock_file = folder / "clock"
        self.edge, self.hub = Mosquitto(folder / "edge"), Mosquitto(folder / "hub")
        self.influx = InfluxDB(folder / "influx") if influx else None
        targets = [self.edge.port, self.edge.port, self.hub.port, self.hub.port]
        self.network = why_not()
        self.lines = {} if self.network else {name: Line(folder, name) for name in INSIDE}
        if self.influx:
            targets.append(self.influx.port)
        self.proxies = {name: self._proxy(name, port) for name, port in zip(LINKS, targets, strict=False)}
        self.disk = _small_disk(folder / "disk")
        host = self.lines["gateway"].inner if "gateway" in self.lines else "127.0.0.1"
        self.doors = {name: Door(host, free_port()) for name in ("push", "ocpp")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.starts = {"gateway": 0, "ingest": 0}
        self.ended: list[str] = []  # what ended without a request, or not in good order
        self.fleet = Fleet(
            [load_city(path) for path in CITIES.values()], self.proxies["nodes-edge"].port, keeping, rng, INTERVAL_MS,
            0 if keeping else self.edge.port, [Pusher(self.doors["push"]), ChargingStation(self.doors["ocpp"])],
        )  # fmt: skip

    def _proxy(self, link: str, port: int) -> Proxy:
        """The relay of a link, where its clients can reach it."""
        line = self.lines.get(link.partition("-")[0])
        return Proxy(port, line.host) if line else Proxy(port)

    @property
    def store_url(self) -> str:
        """The store, past the proxy."""
        return f"influxdb://127.0.0.1:{self.influx.port}/chaos" if self.influx else f"sqlite:///{self.folder}/store.db"

    @property
    def buffer(self) -> Path:
        """The gateway's file."""
        return (self.disk or self.folder) / "gateway.db"

    def servers(self) -> dict[str, Server]:
        """A file that is not a program of ours."""
        return {"edge": self.edge, "hub": self.hub} | ({"influx": self.influx} if self.influx else {})

    def up(self) -> None:
        """Start everything."""
        for server in self.servers().values():
            server.start()
        if self.influx:
            self.influx.query(f'CREATE DATABASE "chaos" WITH DURATION {RETENTION} SHARD DURATION 1d', "")
        self.configure()
        for name in self.starts:
            self.run(name)
        self._await_gateway()
        for client in self.fleet.clients:
            client.start()

    def _await_gateway(self) -> None:
        """A broker that has never met the gateway acknowledges what it throws away: begin when it has."""
        link = Link(Broker("127.0.0.1", self.edge.port), "probe", session=False)

        def heard() -> bool:
            if link.connected:
                link.publish("cv/1/chaos/probe/data", b"[]")
            wait([link], 0.2)
            return self.received() > 0

        wait_for(heard, 30, "the gateway to subscribe")
        link.close()

    def received(self) -> int:
        """Messages the gateway has taken."""
        return self._ask_gateway("SELECT value FROM meta WHERE key='gw_received'")

    def backlog(self) -> int:
        """Windows the gateway does not know to be stored."""
        return self._ask_gateway("SELECT count(*) FROM dirty")

    def _ask_gateway(self, sql: str) -> int:
        """A number out of the gateway's file; 0 where there is none."""
        if not self.buffer.exists():
            return 0
        with closing(sqlite3.connect(f"file:{self.buffer}?mode=ro", uri=True)) as db, suppress(sqlite3.Error):
            row = db.execute(sql).fetchone()
            return int(row[0]) if row else 0
        return 0

    def configure(self, repaired: bool = False) -> None:
        """Write the configuration. `repaired`: the source of the family that was connected later knows its names."""
        rename = f'rename = {{ {REPAIRED} = "power" }}\n' if repaired else ""
        place = {name: f"{proxy.host}:{proxy.port}" for name, proxy in self.proxies.items()}
        url = f"influxdb://{place['ingest-store']}/chaos" if self.influx else self.store_url
        (self.folder / "cityvitals.toml").write_text(
            f"city_files = [{', '.join(json.dumps(str(path)) for path in CITIES.values())}]\n"
            f'[gateway]\nid = "gw"\nbuffer = "{self.buffer}"\n'
            f'broker.url = "mqtt://{place["gateway-edge"]}"\n'
            f'uplink.url = "mqtt://{place["gateway-hub"]}"\n'
            '[[gateway.source]]\ntopic = "cv/1/{city}/{device}/data"\n'
            '[[gateway.source]]\ntopic = "cv/1/{city}/{device}/flat"\nformat = "flat_json"\n'
            '[[gateway.source]]\ntopic = "cv/1/{city}/{device}/foreign"\nformat = "flat_json"\n'
            f'ignore = ["boot", "seq"]\n{rename}'
            f'[[gateway.source]]\nfamily = "line_protocol"\ncity = "chaos"\ntoken = "{TOKEN}"\n'
            '[[gateway.source]]\nfamily = "ocpp"\ncity = "chaos"\n'
            f'[gateway.push]\nhost = "{self.doors["push"].host}"\nport = {self.doors["push"].port}\n'
            f'[gateway.ocpp]\nhost = "{self.doors["ocpp"].host}"\nport = {self.doors["ocpp"].port}\n'
            f'passwords.{STATION} = "{TOKEN}"\n'
            f'[ingest]\nbroker.url = "mqtt://{place["ingest-hub"]}"\nrejects = "{self.folder}/rejects.db"\n'
            f'[store]\nurl = "{url}"\n'
        )

    def run(self, name: str) -> None:
        """Start `gateway` or `ingest`."""
        inside = self.lines[name].prefix if name in self.lines else []
        command = [*inside, sys.executable, "-m", "tests.chaos.entry", str(self.clock_file), self.mutant, name]
        config = ["--config", str(self.folder / "cityvitals.toml")]
        self.processes[name] = start([*command, *config], log=self.folder / f"{name}.log")
        self.starts[name] += 1

    def repair(self) -> str:
        """Repair the configuration and replay the rejects, while the gateway is stopped; what the command said."""
        self.configure(repaired=True)
        command = [sys.executable, "-m", "tests.chaos.entry", str(self.clock_file), self.mutant, "rejects", "replay"]
        command += ["--config", str(self.folder / "cityvitals.toml")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        return done.stdout if done.returncode == 0 else f"code {done.returncode}: {done.stderr[-500:]}"

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """The process of a part."""
        found = self.processes[name] if name in self.processes else self.servers()[name].process
        assert found is not None
        return found

    def freeze(self, name: str, frozen: bool) -> None:
        """SIGSTOP or SIGCONT."""
        os.kill(self.process(name).pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def end(self, name: str) -> None:
        """SIGTERM, which ends a part in good order."""
        self.note_end(name)
        process = self.process(name)
        process.terminate()
        code = process.wait(30 * busy())
        if code not in (0, -signal.SIGTERM):  # one that still loads its modules knows no SIGTERM
            self.ended.append(f"{name} ended with code {code} where it was asked to end")

    def note_end(self, name: str) -> None:
        """Remember a part that is gone before anybody ended it: it is about to be started again."""
        code = self.process(name).poll()
        if code is not None:
            self.ended.append(f"{name} ended by itself with code {code}")

    def log(self, name: str) -> str:
        """What a part has said in all its lives."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def crashed(self) -> list[str]:
        """Parts that ended by themselves or not in good order: what chaos ends, it starts again."""
        gone = [f"{name} ended with code {p.poll()}" for name, p in self.processes.items() if p.poll() is not None]
        gone += [f"{client.name} has ended" for client in self.fleet.clients if not client.is_alive()]
        faults = [
            f"{name} shows a traceback:\n{text}" for name in self.starts if (text := traceback_of(self.log(name)))
        ]
        return self.ended + gone + faults

    def down(self) -> None:
        """End everything that was started."""
        self.fleet.close()
        for process in self.processes.values():
            end(process)
        for server in self.servers().values():
            server.stop()
        for proxy in self.proxies.values():
            proxy.close()
        for line in self.lines.values():
            line.close()
        if self.disk:
            subprocess.run(["umount", self.disk], check=False)


def traceback_of(log: str) -> str:
    """The last traceback of a log, its end where it is long; empty where there is none."""
    _, mark, text = log.rpartition("Traceback (")
    lines = text.splitlines()
    last = next((place for place, line in enumerate(lines[1:], 1) if not line.startswith(" ")), len(lines) - 1)
    return "\n".join(lines[max(0, last - 20) : last + 1]) if mark else ""


def _clear(folder: Path) -> None:
    """An empty folder; of an earlier run with this seed only its file system may still be there."""
    if (folder / "disk").is_mount():
        subprocess.run(["umount", folder / "disk"], check=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _small_disk(folder: Path) -> Path | None:
    """A file system of 48 MB for the gateway where we may mount one."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return None
    folder.mkdir()
    options = ["-o", f"size={DISK_MB}m", "chaos", str(folder)]
    made = subprocess.run(["mount", "-t", "tmpfs", *options], capture_output=True, check=False)
    return folder if made.returncode == 0 else None


@contextmanager
def world(folder: Path, influx: bool, keeping: bool, rng: Random, mutant: str = "none") -> Iterator[World]:
    """Everything running; ended when the block ends."""
    made = World(folder, influx, keeping, rng, mutant)
    try:
        made.up()
        yield made
    finally:
        made.down()
