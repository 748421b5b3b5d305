"""`make bench-peers`: gateway and ingest beside Telegraf, on one broker, publisher and InfluxDB, in turn.

    python -m tests.bench.peers [--telegraf PATH] [--messages 60000] [--rounds 3]
    python -m tests.bench.peers --cadence 180 [--telegraf PATH] [--devices 200] [--every 30] [--closed]

Flat JSON without a time and SenML, QoS 1, persistent sessions. CPU is user and system time of each process, a message.
A last round for each kills the receiving process with SIGKILL in the middle and starts it again: what is stored then.
Without Telegraf only ours and a bare subscriber (paho's own loop) are measured.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import psutil

from adapters.stores import open_store
from telemetry.series import SeriesTable
from tests.bench import cadence
from tests.chain import Chain
from tests.load.readings import waiting
from tests.processes import end, start, wait_for
from tests.servers import InfluxDB, Mosquitto

REPO = Path(__file__).parents[2]
DEVICES = 100
FORMS = {"flat": ("flat/#", 108), "senml": ("cv/1/+/+/data", 137)}
CITY = '[city]\nid = "bench"\nname = "Bench"\ncountry = "NO"\ntimezone = "UTC"\npopulation = 1000\n'
SOURCES = '[[gateway.source]]\n[[gateway.source]]\ntopic = "flat/{device}"\nformat = "flat_json"\ncity = "bench"\n'
TELEGRAF = """
[agent]
  interval = "1s"
  flush_interval = "1s"
  metric_batch_size = 5000
  metric_buffer_limit = 200000
  omit_hostname = true
[[outputs.influxdb]]
  urls = ["{influx}"]
  database = "telegraf"
  skip_database_creation = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{broker}"]
  topics = ["{topic}"]
  qos = 1
  persistent_session = true
  client_id = "telegraf-{form}"
  max_undelivered_messages = 5000
  data_format = "{parser}"
{rest}
"""
OBJECTS = """
  [[inputs.mqtt_consumer.json_v2]]
    measurement_name = "senml"
    [[inputs.mqtt_consumer.json_v2.object]]
      path = "@this"
      tags = ["n", "u"]
      included_keys = ["n", "u", "v"]
"""


class Peer(Protocol):
    """What receives the messages and stores them."""

    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        """By name of the hop."""
        ...

    def stored(self) -> int:
        """How many different messages are in the store, and none is in flight."""
        ...

    def points(self) -> int:
        """How many there are with those that are stored twice."""
        ...

    def kill(self) -> None:
        """SIGKILL the receiver and start it again."""
        ...


class Ours:
    """Gateway and ingest."""

    def __init__(
        self, folder: Path, broker: int, influx: InfluxDB, form: str, devices: str = "", closed: bool = False
    ) -> None:
        """`devices`: entries of the city file. `closed`: windows of regular devices leave when they close, and
        hours are stored every five minutes.
        """
        folder.mkdir(parents=True)
        influx.create("ours")
        (folder / "city.toml").write_text(CITY + devices, encoding="utf-8")
        self.form, self.store = form, f"{influx.url.replace('http', 'influxdb')}/ours"
        self.chain = Chain(folder, folder / "city.toml", broker, self.store)
        config = self.chain.config.read_text(encoding="utf-8").replace('id = "gw"', f'id = "gw-{folder.name}"')
        if closed:
            config = config.replace("[gateway]\n", "[gateway]\nopen_windows = false\n")
            config = config.replace("[ingest]\n", "[ingest]\nopen_hours_s = 300\n")
        self.chain.config.write_text(config + SOURCES, encoding="utf-8")
        for name in ("gateway", "ingest"):
            self.chain.run(name)
        wait_for(lambda: self.chain.log("gateway").count("connected to") > 1, 60, "both links of the gateway")
        wait_for(lambda: "connected to" in self.chain.log("ingest"), 60, "ingest")

    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        """See Peer."""
        return self.chain.processes

    def stored(self) -> int:
        """See Peer. Every message has readings of its own, so different readings are counted in the buffer."""
        if waiting(self.chain.folder / "gateway.db"):
            return 0
        return self.points()

    def points(self) -> int:
        """See Peer: the readings in the windows of the store."""
        table, found = SeriesTable(), 0
        store = open_store(self.store)
        quantity = "co2" if self.form == "flat" else "pm10"
        for part in store.partials("bench", "window", 0, 1 << 62, table):
            found += int(part.n[table.has(quantity, part.series)].sum())
        store.close()
        return found

    def kill(self) -> None:
        """See Peer."""
        self.chain.processes["gateway"].kill()
        self.chain.processes["gateway"].wait()
        self.chain.run("gateway")

    def close(self) -> None:
        """End both."""
        self.chain.stop()


class Telegraf:
    """Telegraf with its MQTT consumer and its InfluxDB output."""

    def __init__(self, folder: Path, broker: int, influx: InfluxDB, form: str, path: Path) -> None:
        folder.mkdir(parents=True)
        influx.create("telegraf")
        parser, rest = ("json", "") if form == "flat" else ("json_v2", OBJECTS)
        named = {"influx": influx.url, "broker": broker, "topic": FORMS[form][0], "form": f"{form}-{folder.name}"}
        self.config = folder / "telegraf.conf"
        self.config.write_text(TELEGRAF.format(**named, parser=parser, rest=rest), encoding="utf-8")
        self.path, self.folder, self.influx, self.form = path, folder, influx, form
        self._run()

    def _run(self) -> None:
        log = self.folder / "telegraf.log"
        begun = log.read_text(encoding="utf-8").count("Connected [") if log.exists() else 0
        self.process = start([self.path, "--config", self.config], log=log)
        wait_for(lambda: log.read_text(encoding="utf-8").count("Connected [") > begun, 60, "Telegraf's connection")

    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        """See Peer."""
        return {"telegraf": self.process}

    def _count(self, what: str) -> int:
        name, field = ("mqtt_consumer", "co2") if self.form == "flat" else ("senml", "v")
        where = "" if self.form == "flat" else " WHERE n = 'pm10'"
        found = self.influx.query(f'SELECT count({what.format(field)}) AS c FROM "{name}"{where}', "telegraf")
        return int(found[0]["c"]) if found else 0

    def stored(self) -> int:
        """See Peer; SenML's values repeat, so that there its points are counted."""
        return self._count('distinct("{}")') if self.form == "flat" else self.points()

    def points(self) -> int:
        """See Peer."""
        return self._count('"{}"')

    def kill(self) -> None:
        """See Peer."""
        self.process.kill()
        self.process.wait()
        self._run()

    def close(self) -> None:
        """End it."""
        end(self.process)


class Bare:
    """A subscriber by paho's own loop that stores nothing: what the same machine needs to receive the messages."""

    def __init__(self, folder: Path, broker: int, _influx: InfluxDB, form: str) -> None:
        folder.mkdir(parents=True)
        log = folder / "bare.log"
        command = [sys.executable, "-m", "tests.bench.bare", str(broker), FORMS[form][0], str(folder / "count")]
        self.process, self.count = start(command, log=log, cwd=REPO), folder / "count"
        wait_for(lambda: "subscribed" in log.read_text(encoding="utf-8"), 60, "the subscription")

    def processes(self) -> dict[str, subprocess.Popen[bytes]]:
        """See Peer."""
        return {"bare subscriber": self.process}

    def stored(self) -> int:
        """How many have arrived."""
        return int(self.count.read_text(encoding="utf-8") or 0) if self.count.exists() else 0

    points = stored

    def kill(self) -> None:
        """It keeps nothing."""

    def close(self) -> None:
        """End it."""
        end(self.process)


def cpu(process: subprocess.Popen[bytes]) -> float:
    """Seconds of user and system time."""
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


def publish(port: int, messages: int, form: str, first: int = 0) -> None:
    """Publish in a process of its own."""
    numbers = [str(port), str(messages), str(DEVICES), "flat" if form == "flat" else "senml 137", str(first)]
    subprocess.run(
        [sys.executable, "-m", "tests.bench.blast", *numbers], check=True, cwd=REPO, stdout=subprocess.DEVNULL
    )


def measured(peer: Any, influx: InfluxDB, port: int, messages: int, form: str) -> dict[str, float]:
    """Microseconds of CPU a message by process, messages a second until all are stored, memory in MB."""
    hops = {**peer.processes(), "InfluxDB": influx.process}
    before, began = {name: cpu(p) for name, p in hops.items()}, time.perf_counter()
    publish(port, messages, form)
    wait_for(lambda: settled(peer, messages), 400, f"all {messages} messages in the store")
    seconds = time.perf_counter() - began
    found = {name: 1e6 * (cpu(p) - before[name]) / messages for name, p in hops.items()}
    memory = sum(psutil.Process(p.pid).memory_info().rss for p in peer.processes().values()) / 2**20
    return found | {"messages/s": messages / seconds, "MB": memory}


def settled(peer: Any, messages: int) -> bool:
    """Whether all are stored; asked once a second, since each question costs the store some CPU."""
    time.sleep(1)
    return bool(peer.stored() >= messages)


def killed(peer: Any, port: int, messages: int, form: str) -> dict[str, float]:
    """What is stored after the receiver was killed between two halves, of which the first is not settled."""
    half = messages // 2
    publish(port, half, form)
    peer.kill()
    publish(port, messages - half, form, half)
    last, same, stored = -1, 0, 0
    while stored < messages and same < 60:  # unchanged for a minute: nothing comes any more
        time.sleep(1)
        stored = peer.stored()
        last, same = stored, same + 1 if stored == last else 0
    return {"lost": max(messages - stored, 0), "doubled": peer.points() - min(stored, messages)}


@contextmanager
def opened(kind: Any, *args: Any) -> Iterator[Any]:
    """A peer, ended when the block ends."""
    peer = kind(*args)
    try:
        yield peer
    finally:
        peer.close()


def run(telegraf: Path | None, messages: int, rounds: int) -> list[dict[str, Any]]:
    """A row for each form and peer: the medians of the rounds."""
    kinds: dict[str, tuple[Any, ...]] = {"ours": (Ours,), "bare": (Bare,)}
    if telegraf:
        kinds["telegraf"] = (Telegraf, telegraf)
    rows = []
    with tempfile.TemporaryDirectory(dir=_build()) as name:
        folder = Path(name)
        with Mosquitto(folder / "mosquitto") as broker, InfluxDB(folder / "influx") as influx:
            for form in FORMS:
                runs: dict[str, list[dict[str, float]]] = {kind: [] for kind in kinds}
                for number in range(rounds):
                    for kind, (made, *more) in kinds.items():
                        with opened(made, folder / f"{form}-{kind}-{number}", broker.port, influx, form, *more) as peer:
                            runs[kind].append(measured(peer, influx, broker.port, messages, form))
                for kind, (made, *more) in kinds.items():
                    middle = {key: statistics.median(r[key] for r in runs[kind]) for key in runs[kind][0]}
                    with opened(made, folder / f"{form}-{kind}-kill", broker.port, influx, form, *more) as peer:
                        after = killed(peer, broker.port, messages, form) if kind != "bare" else {}
                    rows.append({"what": form, "peer": kind, **middle, **after})
    return rows


def _build() -> Path:
    (REPO / "build").mkdir(exist_ok=True)
    return REPO / "build"


def lines(rows: list[dict[str, Any]]) -> list[str]:
    """The rows in words, with what the aim is: at most 0.7 of Telegraf's CPU."""
    found = []
    for row in rows:
        hops = {k: v for k, v in row.items() if k not in ("what", "peer", "messages/s", "MB", "lost", "doubled")}
        parts = [f"{name} {value:.1f}" for name, value in hops.items()]
        kill = f"; after SIGKILL {row['lost']} lost, {row['doubled']} doubled" if "lost" in row else ""
        speed = f"{row['messages/s']:,.0f} messages/s, {row['MB']:.0f} MB"
        found.append(f"{row['what']}, {row['peer']}: us a message {', '.join(parts)}; {speed}{kill}")
    for form in FORMS:
        of = {row["peer"]: row for row in rows if row["what"] == form}
        ours = of["ours"]["gateway"] + of["ours"]["ingest"]
        for peer, name in (("telegraf", "telegraf"), ("bare", "bare subscriber")):
            if peer in of:
                found.append(f"{form}: gateway and ingest / {name}: {ours / of[peer][name]:.2f}")
    return found


def at_cadence(telegraf: Path | None, devices: int, every: float, seconds: float, closed: bool) -> Iterator[str]:
    """Lines of tests/bench/cadence.py for both forms."""
    for form in FORMS:
        peers: dict[str, Callable[..., Any]] = {
            "ours": partial(Ours, devices=cadence.registered(devices), closed=closed)
        }
        if telegraf:
            peers["telegraf"] = partial(Telegraf, path=telegraf)
        with tempfile.TemporaryDirectory(dir=_build()) as name:
            shape = "flat" if form == "flat" else "senml 137"
            for line in cadence.run(Path(name), peers, (form, shape), devices, every, seconds):
                yield f"{form}, {devices} devices every {every:g} s, {line}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--telegraf", type=Path, help="the program; without it, it is left out")
    parser.add_argument("--messages", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cadence", type=float, help="seconds to measure at the cadence of real devices, instead")
    parser.add_argument("--devices", type=int, default=200, help="of --cadence")
    parser.add_argument("--every", type=float, default=30.0, help="of --cadence: seconds between readings of a device")
    parser.add_argument("--closed", action="store_true", help="of --cadence: open_windows = false, open_hours_s = 300")
    given = parser.parse_args()
    if given.telegraf is None:
        sys.stdout.write("telegraf: no path given (--telegraf PATH), left out\n")
    elif not shutil.which(given.telegraf):
        parser.error(f"{given.telegraf} cannot be run")
    if given.cadence:
        for line in at_cadence(given.telegraf, given.devices, given.every, given.cadence, given.closed):
            sys.stdout.write(line + "\n")
        return
    for line in lines(run(given.telegraf, given.messages, given.rounds)):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
