"""What runs in a hostile run: brokers with the shipped rules, a gateway, ingest, and the files to look into."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections import Counter
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from adapters.mqtt.broker import Broker
from adapters.mqtt.link import Link
from adapters.sqlite.blocks import readable
from deploy import make_secrets
from tests.hostile.attacks import CITY, EVIL
from tests.hostile.doors import PUSH_TOKEN
from tests.processes import end, start, wait_for
from tests.servers import Mosquitto, free_port
from tests.shipped_brokers import DEPLOY

HONEST = 1000  # devices
MINUTE = 60_000
_SHIPPED = ("use_username_as_clientid", "max_packet_size")  # settings of the shipped broker that the run depends on
_HONEST_READINGS = (
    "FROM every_reading r JOIN buffer_series s ON s.id = r.series WHERE s.device GLOB 'h[0-9]*' AND s.quantity = 'no2'"
)


class World:
    """Everything that runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)  # an earlier run's
        folder.mkdir(parents=True)
        users = folder / "secrets"
        make_secrets.make(users)
        for name in ("fleet", EVIL):
            make_secrets.add_user(users / "edge.passwd", name, name)
        rules = (DEPLOY / "mosquitto" / "edge.acl").read_text()
        rules += "user fleet\ntopic write cv/1/+/+/data\n"
        rules = rules.replace("topic read cv/1/+/+/data\n", "topic read cv/1/+/+/data\ntopic read cv/1/+/+/flat\n", 1)
        rules += f"user {EVIL}\ntopic write cv/1/+/{EVIL}/flat\n"
        (users / "rules.acl").write_text(rules)
        shipped = (DEPLOY / "mosquitto" / "edge.conf").read_text().splitlines()
        bound = "\n".join(line for line in shipped if line.startswith(_SHIPPED))
        access = f"{bound}\nacl_file {users}/rules.acl\npassword_file {users}/edge.passwd"
        self.edge = Mosquitto(folder / "edge", anonymous=False, extra=access)
        self.hub = Mosquitto(folder / "hub")
        self.password = (users / "edge_gateway").read_text().strip()
        self.doors = free_port(), free_port()  # HTTP push, OCPP
        self.gateway_db, self.store = folder / "gateway.db", folder / "store.db"

    def up(self) -> None:
        """Start brokers, gateway and ingest."""
        self.edge.start()
        self.hub.start()
        config = self.folder / "cityvitals.toml"
        config.write_text(self._config(self._city()))
        self.processes = {
            name: start([sys.executable, "-m", "cityvitals", name, "--config", config], log=self.folder / f"{name}.log")
            for name in ("gateway", "ingest")
        }
        for name, links in (("gateway", 2), ("ingest", 1)):
            wait_for(partial(self._has_connections, name, links), 120, f"{name} to connect")

    def _has_connections(self, name: str, expected: int) -> bool:
        return self.log(name).count("connected to") >= expected

    def _city(self) -> Path:
        """All devices are registered, the hostile one too, so that everything it sends counts."""
        path = self.folder / "city.toml"
        path.write_text(
            f'[city]\nid = "{CITY}"\nname = "Chaos"\ncountry = "NG"\ntimezone = "Africa/Lagos"\n'
            + "".join(
                f'[[device]]\nid = "{name}"\nkind = "air_lowcost"\nquantities = ["no2"]\n'
                for name in (EVIL, *(f"h{i}" for i in range(HONEST)))
            )
        )
        return path

    def _config(self, city: Path) -> str:
        return (
            f'city_files = ["{city}"]\n[gateway]\nbuffer = "{self.gateway_db}"\nmax_buffer_mb = 512\nuser_key = "k"\n'
            f'broker.url = "{self.edge.url}"\nbroker.username = "gateway"\nbroker.password = "{self.password}"\n'
            f'uplink.url = "{self.hub.url}"\n'
            '[[gateway.source]]\ntopic = "cv/1/{city}/{device}/data"\n'
            '[[gateway.source]]\ntopic = "cv/1/{city}/{device}/flat"\nformat = "flat_json"\n'
            f'[[gateway.source]]\nfamily = "line_protocol"\ncity = "{CITY}"\ntoken = "{PUSH_TOKEN}"\n'
            f'[[gateway.source]]\nfamily = "ocpp"\ncity = "{CITY}"\n'
            f"[gateway.push]\nport = {self.doors[0]}\n"
            f'[gateway.ocpp]\nport = {self.doors[1]}\npasswords.{EVIL} = "{EVIL}"\n'
            f'[ingest]\nbroker.url = "{self.hub.url}"\nrejects = "{self.folder}/rejects.db"\n'
            f'[store]\nurl = "sqlite:///{self.store}"\n'
        )

    def link(self, user: str, client: str = "") -> Link:
        """A connection of a user whose password is its name."""
        return Link(Broker("127.0.0.1", self.edge.port, username=user, password=user), client or user, session=False)

    def log(self, name: str) -> str:
        """What a process has said."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def peak_mb(self, name: str) -> float:
        """The most memory a process had."""
        with suppress(OSError):
            for line in Path(f"/proc/{self.processes[name].pid}/status").read_text().splitlines():
                if line.startswith("VmHWM"):
                    return int(line.split()[1]) / 1024
        return float("nan")

    def cpu_s(self, name: str) -> float:
        """Processor time of a process so far, s."""
        pid = self.processes[name].pid if name in self.processes else getattr(self, name).pid
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)

    # -- what is there -------------------------------------------------------------------------------------------------

    def held(self) -> Counter[tuple[str, int, float]]:
        """Device, time and value of the honest readings in the gateway's file."""
        return Counter(
            {tuple(row): 1 for row in _ask(self.gateway_db, f"SELECT s.device, r.t, r.value {_HONEST_READINGS}")}
        )

    def delays(self) -> list[int]:
        """From the time of each honest reading to its arrival, ms."""
        return [row[0] for row in _ask(self.gateway_db, f"SELECT r.arrival - r.t {_HONEST_READINGS}")]

    def has(self, device: str, t: int) -> bool:
        """Whether the gateway holds a reading of this device and time."""
        window = t // MINUTE * MINUTE
        sql = f"SELECT 1 {_HONEST_READINGS} AND r.window = {window} AND s.device = '{device}' AND r.t = {t}"
        return bool(_ask(self.gateway_db, sql))

    def waiting(self) -> int:
        """Windows of honest devices that the gateway does not know to be stored."""
        sql = (
            "SELECT count(*) FROM dirty d JOIN buffer_series s ON s.id = d.series"
            " WHERE s.device GLOB 'h[0-9]*' AND s.quantity = 'no2'"
        )
        return int(_ask(self.gateway_db, sql)[0][0])

    def received(self) -> int:
        """Messages the gateway has taken."""
        found = _ask(self.gateway_db, "SELECT value FROM meta WHERE key='gw_received'")
        return int(found[0][0]) if found else 0

    def windows(self) -> dict[tuple[str, int], tuple[int, float]]:
        """Count and sum of the windows of honest devices in the store, by device and start."""
        sql = (
            'SELECT s.device, w.start, w.n, w.sum FROM "window" w JOIN series s ON s.id = w.series'
            " WHERE s.device GLOB 'h[0-9]*' AND s.quantity = 'no2'"
        )
        return {(device, start): (n, total) for device, start, n, total in _ask(self.store, sql)}

    def stored(self) -> int:
        """How many honest readings the store has."""
        sql = (
            'SELECT coalesce(sum(w.n), 0) FROM series s JOIN "window" w ON w.series = s.id'
            " WHERE s.device GLOB 'h[0-9]*' AND s.quantity = 'no2'"
        )
        with suppress(sqlite3.Error):
            return int(_ask(self.store, sql)[0][0])
        return 0

    def down(self) -> None:
        """End everything."""
        for process in getattr(self, "processes", {}).values():
            end(process)
        self.edge.stop()
        self.hub.stop()


def _ask(path: Path, sql: str) -> list[Any]:
    with closing(readable(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30))) as db:
        return db.execute(sql).fetchall()
