"""Everything fails in random order, and every reading is still in the gateway's store once, with its right time.

With CITYVITALS_LONG=1 it takes its full ten minutes of the node's time; otherwise a shorter one.
"""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from tests.conftest import ServerFactory
from tests.firmware.certificates import Authority
from tests.firmware.flash import records_of, ring_of
from tests.firmware.gateway import NODE, Gateway
from tests.firmware.nameserver import NameServer
from tests.firmware.node import Node
from tests.firmware.timeserver import FastClock, TimeServer
from tests.servers import Mosquitto, free_port, wait_for

pytestmark = pytest.mark.timeout(3600)
LONG = bool(os.environ.get("CITYVITALS_LONG"))
SPEED = 2 if LONG else 4
LEAST_S = 600 if LONG else 0


class Trouble:
    """A broker with TLS, a node, a time server, a gateway, and what can happen to them."""

    def __init__(
        self,
        broker: Mosquitto,
        node: Node,
        ntp: TimeServer,
        names: NameServer,
        ca: Authority,
        port: int,
        gateway: Gateway,
    ) -> None:
        self.broker, self.node, self.ntp, self.ca, self.port, self.gateway = broker, node, ntp, ca, port, gateway
        self.names = names
        self.kinds = [
            self.broker_stopped,
            self.broker_killed,
            self.broker_frozen,
            self.node_reset,
            self.node_loses_power,
            self.session_lost,
            self.certificate_expired,
            self.name_server_silent,
        ]

    def goes_on(self, records: int) -> None:
        """Wait until the node has stored so many more records."""
        wait_for((self.node.workdir / "ring.bin").exists, 30, "the first record")
        wanted = ring_of(self.node.workdir).next + records
        wait_for(lambda: ring_of(self.node.workdir).next >= wanted, 60, f"{records} more records")

    def started(self) -> None:
        """Start the node again. A board needs longer than the unix port, which starts in 60 ms: the first reading of
        the new boot would have the time of the last one before, and two of one series and time are one.
        """
        time.sleep(0.2)
        self.node.boot()

    def broker_stopped(self, records: int) -> None:
        """The broker ends in good order and comes back."""
        self.broker.stop()
        self.goes_on(records)
        self.broker.start()

    def broker_killed(self, records: int) -> None:
        """The broker crashes."""
        self.broker.kill()
        self.goes_on(records)
        self.broker.start()

    def broker_frozen(self, records: int) -> None:
        """The broker hangs with open connections."""
        os.kill(self.broker.pid, signal.SIGSTOP)
        self.goes_on(2 * records)
        os.kill(self.broker.pid, signal.SIGCONT)

    def node_reset(self, records: int) -> None:
        """The node crashes; its clock runs on."""
        self.node.kill()
        self.started()
        self.goes_on(records)

    def node_loses_power(self, records: int) -> None:
        """The node loses power, at a time when the broker is away, and starts without knowing the time."""
        wait_for(self.synced, 30, "the clock, for without it the time of a lost boot cannot be known")
        self.broker.stop()
        self.ntp.silent = True
        self.node.power_cut()
        self.started()
        self.goes_on(records)
        self.ntp.silent = False
        wait_for(self.synced, 60, "the clock")
        self.broker.start()

    def synced(self) -> bool:
        """Whether the newest record was taken with a clock that is set."""
        records = records_of(self.node.workdir)
        return bool(records) and records[max(records)].time > 0

    def session_lost(self, records: int) -> None:
        """Another client takes the node's name with a clean session: the node is thrown out and forgotten."""
        thief = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="cv-" + "-".join(NODE), clean_session=True)
        thief.connect("127.0.0.1", self.broker.port)
        thief.loop_start()
        wait_for(thief.is_connected, 10, "the thief to get in")
        self.goes_on(records)
        thief.disconnect()
        thief.loop_stop()

    def certificate_expired(self, records: int) -> None:
        """The broker shows a certificate that is no longer valid; the node must not talk to it."""
        good = self.broker.extra
        self.broker.stop()
        self.broker.extra = self.ca.listener(self.port, "expired")
        delivered = ring_of(self.node.workdir).cursor
        self.broker.start()
        self.goes_on(3 * records)
        assert ring_of(self.node.workdir).cursor == delivered, "the node talked to a broker it cannot trust"
        self.broker.stop()
        self.broker.extra = good
        self.broker.start()

    def name_server_silent(self, records: int) -> None:
        """The name server does not answer while the broker and the node start again: the last address is used."""
        self.names.silent = True
        self.broker.stop()
        self.node.kill()
        self.started()
        self.broker.start()
        self.goes_on(records)
        self.names.silent = False


class Proof:
    """The particle sensor shows the true time: PM10 the seconds since the start, PM2.5 the milliseconds."""

    def __init__(self, clock: FastClock) -> None:
        self.clock = clock
        self.start = int(clock()) - 100

    def values(self) -> tuple[int, int, int]:
        """What the sensor shows now."""
        now = self.clock()
        return 1, int(now % 1 * 1000), int(now) - self.start

    def seconds(self) -> float:
        """How long it has been."""
        return self.clock() - self.start - 100

    def error_ms(self, t: int, values: dict[str, float]) -> float:
        """By how much a reading is stamped too late."""
        return t - self.start * 1000 - values["pm10"] * 1000 - values["pm2_5"]


class Stalls(threading.Thread):
    """The longest time this computer held up somebody who wanted to run: what no program can do anything about."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.over = threading.Event()
        self.longest_s = 0.0

    def run(self) -> None:
        """Wake up often and look how late it is."""
        before = time.monotonic()
        while not self.over.wait(0.005):
            now = time.monotonic()
            self.longest_s, before = max(self.longest_s, now - before - 0.005), now

    def __enter__(self) -> "Stalls":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()


def taken(node: Node) -> list[tuple[str, float]]:
    """Every value the node ever stored."""
    values = [value for record in records_of(node.workdir).values() for value in record.values]
    return sorted((name, mantissa / 10**decimals) for name, mantissa, decimals in values)


def stored(gateway: Gateway) -> list[tuple[str, float]]:
    """Every value in the gateway's store."""
    return sorted(pair for values in gateway.readings().values() for pair in values.items())


@contextmanager
def placed(server: ServerFactory, folder: Path, bits: int, proof: Proof) -> Iterator[Trouble]:
    """A node that delivers over mutual TLS to a broker with a gateway behind it; no time server answers yet."""
    ca, port = Authority(folder / "ca"), free_port()
    for name, days in (("server", 20), ("expired", -1)):
        ca.issue(name, days)
    broker = server(Mosquitto, extra=ca.listener(port))
    with (
        Gateway(folder / "gateway", broker.port, proof.clock) as gateway,
        TimeServer(proof.clock, silent=True) as ntp,
        NameServer() as names,
        Node(folder / "node", bits, heap="128k", slots=True) as node,
    ):
        node.install()
        node.wiring.update(speed=SPEED, sectors=64, dns=[names.name])
        link = {"tls": node.certified(ca, "n1"), "keepalive_s": 20, "backoff_max_s": 8}
        time_server = f"time.example:{ntp.name.partition(':')[2]}"
        node.configure("broker.example", port, *NODE, mqtt=link, ntp=[time_server], health_s=60)
        node.pms.period_s = 0.02
        node.pms.values = proof.values
        node.boot()
        yield Trouble(broker, node, ntp, names, ca, port, gateway)


@pytest.mark.parametrize("bits", [64, 32] if LONG else [32])
def test_every_reading_is_in_the_gateways_store_once_with_its_right_time_whatever_happens(
    server: ServerFactory, tmp_path: Path, bits: int
) -> None:
    proof, rng, most = Proof(FastClock(SPEED)), random.Random(bits), 15 if LONG else 3
    with Stalls() as stalls, placed(server, tmp_path, bits, proof) as trouble:
        trouble.goes_on(5)
        trouble.ntp.silent = False
        while True:
            for kind in rng.sample(trouble.kinds, len(trouble.kinds)):
                kind(rng.randint(2, most))
                trouble.goes_on(rng.randint(1, most))
            if proof.seconds() > LEAST_S:
                break
        node, gateway = trouble.node, trouble.gateway
        node.bus.chips.clear()
        node.pms.line.unplug()
        wait_for(lambda: len(stored(gateway)) >= len(taken(node)), 90, "every reading in the gateway's store")
        assert stored(gateway) == taken(node)
        assert gateway.missing() == 0
        unsynced = [rec for rec in records_of(node.workdir).values() if not rec.time]
        readings = gateway.readings()
    errors = sorted(proof.error_ms(t, values) / 1000 for t, values in readings.items() if "pm10" in values)
    print(
        f"{len(errors)} readings, {len(unsynced)} records from before a synchronisation, "
        f"stamped {errors[0]:+.2f}..{errors[-1]:+.2f} s, longest stall of the computer {stalls.longest_s:.2f} s"
    )
    allowed = 1 + SPEED * stalls.longest_s
    assert unsynced
    assert [error for error in errors if abs(error) > allowed] == []
