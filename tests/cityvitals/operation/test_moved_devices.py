"""Gateways at one broker become more and fewer while devices send: nothing is lost, nothing counts twice.

Half of the devices date their readings, half do not, so that a message taken by two gateways would count twice; all
number their records, so that the ledger must move with them. Gateways and the command itself are killed.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from adapters.sqlite import handover
from adapters.sqlite.buffer import Buffer
from adapters.sqlite.ledger import Totals
from cityvitals.operation import shares
from gateway.core import Core, Incoming
from gateway.routes import Share
from gateway.sources import made_sources
from registry.settings import SourceSettings
from telemetry.errors import Unavailable, UsageError
from telemetry.readings import Readings
from telemetry.series import Series
from telemetry.windows import MINUTE
from tests.chain import Chain
from tests.conftest import ServerFactory
from tests.gateway.test_share import stored
from tests.processes import end, start, wait_for
from tests.servers import Mosquitto

DATED = [f"d{n}" for n in range(20)]
UNDATED = [f"u{n}" for n in range(20)]
NOW = 1_795_168_800_000


class Gateways:
    """Up to two gateways and one ingest at a broker."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self.folder, self.port = folder, broker.port
        city = folder / "town.toml"
        named = "\n".join(
            f'[[device]]\nid = "{d}"\nkind = "electricity_meter"\nquantities = ["power"]' for d in DATED + UNDATED
        )
        allowed = 'gateways = ["gw-1", "gw-2"]'
        city.write_text(f'[city]\nid = "town"\nname = "T"\ncountry = "DE"\ntimezone = "UTC"\n{allowed}\n{named}\n')
        self.chains = []
        for number in (1, 2):
            (folder / str(number)).mkdir()
            chain = Chain(folder / str(number), city, broker.port, f"sqlite:///{folder}/store.db")
            chain.config.write_text(chain.config.read_text().replace('id = "gw"', f'id = "gw-{number}"\nshare = "1/1"'))
            self.chains.append(chain)
        self.running: list[Chain] = []

    def become(self, count: int) -> None:
        """Kill the gateways, move the devices, with the command killed on the way, and start the new ones."""
        for chain in self.running:
            chain.processes.pop("gateway").kill()
        configs = [chain.config for chain in self.chains[:count]]
        for number, config in enumerate(configs, start=1):
            lines = config.read_text().splitlines()
            changed = [f'share = "{number}/{count}"' if line.startswith("share") else line for line in lines]
            config.write_text("\n".join(changed) + "\n")
        ended = [chain.config for chain in self.running[count:]]
        command = [sys.executable, "-m", "cityvitals", "share", *map(str, configs)]
        for config in ended:
            command += ["--ended", str(config)]
        for _ in range(2 if count > 1 else 1):
            killed = start(command, log=self.folder / "killed.log")
            time.sleep(random.uniform(0.8, 2.5))
            killed.kill()
            killed.wait()
        done = start(command, log=self.folder / "share.log")
        assert done.wait(300) == 0, (self.folder / "share.log").read_text()
        self.running = self.chains[:count]
        for chain in self.running:
            self.start(chain)

    def start(self, chain: Chain) -> None:
        """Start a gateway and wait for both of its links."""
        log = chain.folder / "gateway.log"
        before = log.read_text().count("connected to") if log.exists() else 0
        chain.run("gateway")
        wait_for(lambda: chain.log("gateway").count("connected to") > before + 1, 90, "both links of the gateway")

    def stop(self) -> None:
        """End all."""
        for chain in self.chains:
            chain.stop()

    def ledgers(self) -> list[Totals]:
        """All rows of all buffers."""
        found = []
        for chain in self.chains:
            if (chain.folder / "gateway.db").exists():
                buffer = Buffer(chain.folder / "gateway.db", None)
                found += buffer.ledger.totals()
                buffer.close()
        return sorted(found)


class Sending(threading.Thread):
    """Devices that send a numbered record each, three times a second, until `over` is set."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.rounds, self.over = 0, threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.max_inflight_messages_set(200)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def passed(self, rounds: int) -> bool:
        """Whether so many rounds are at the broker."""
        return self.rounds > rounds

    def run(self) -> None:
        """Publish; each round is at the broker before the next."""
        at = NOW / 1000 - 60 * 86400
        while not self.over.wait(0.3):
            i = self.rounds
            sent = []
            for device in DATED + UNDATED:
                time_ = f'"bt":{at + i},' if device in DATED else ""
                pack = f'[{{{time_}"boot":1,"seq":{i},"n":"power","u":"W","v":{i + 1}}}]'
                sent.append(self._client.publish(f"cv/1/town/{device}/data", pack.encode(), qos=1))
            for one in sent:
                one.wait_for_publish(60)
            self.rounds += 1
        self._client.disconnect()
        self._client.loop_stop()


@contextmanager
def sending(port: int) -> Iterator[Sending]:
    thread = Sending(port)
    thread.start()
    try:
        yield thread
    finally:
        thread.over.set()
        thread.join()


def test_gateways_become_more_and_fewer_while_devices_send(server: ServerFactory, tmp_path: Path) -> None:
    broker = server(Mosquitto)
    gateways = Gateways(tmp_path, broker)
    try:
        gateways.chains[0].run("ingest")
        gateways.running = gateways.chains[:1]
        gateways.start(gateways.chains[0])
        with sending(broker.port) as devices:
            for count in (2, 1):
                before = devices.rounds
                wait_for(partial(devices.passed, before + 10), 90, "some rounds")
                gateways.become(count)
            before = devices.rounds
            wait_for(partial(devices.passed, before + 10), 90, "some rounds")
        each = devices.rounds, float(sum(range(1, devices.rounds + 1)))
        wanted = dict.fromkeys(DATED + UNDATED, each)
        with suppress(AssertionError):  # what differs is shown below
            wait_for(lambda: stored(gateways.chains[0].store) == wanted, 120, "all readings, once")
        assert stored(gateways.chains[0].store) == wanted, gateways.ledgers()
        for chain in gateways.running:
            end(chain.processes["gateway"])
        rows = gateways.ledgers()
        assert [(r.device, r.received, r.missing) for r in rows] == sorted(
            (device, devices.rounds, 0) for device in DATED + UNDATED
        )
    finally:
        gateways.stop()


def made(folder: Path, share: Share) -> Core:
    sources = made_sources([SourceSettings(topic="cv/1/{city}/{device}/data", format="senml")])
    return Core(Buffer(folder / f"{share.number}.db", MINUTE), sources, share=share)


def pack(device: str, seq: int) -> Incoming:
    text = f'[{{"bt":{NOW // 1000 + seq},"boot":1,"seq":{seq},"n":"power","u":"W","v":{seq}}}]'
    return Incoming(f"cv/1/town/{device}/data", text.encode())


def devices_moved(source: Core, target: Core) -> set[tuple[str, str]]:
    return {d for d in handover.devices(source.buffer) if Share(2, 2).takes(*d)}


def nothing(_topic: str) -> bool:
    return False


def test_what_the_store_has_is_not_sent_again_and_what_it_lacks_is(tmp_path: Path) -> None:
    source, target = made(tmp_path, Share()), made(tmp_path, Share(2, 2))
    source.accept([pack(d, 1) for d in DATED], NOW)
    source.confirm(source.pending()[0])
    source.accept([pack(d, 120) for d in DATED], NOW)
    moved = devices_moved(source, target)
    assert 4 < len(moved) < 16
    for _ in range(2):  # the first one was interrupted
        assert handover.copy(source.buffer, target.buffer, moved, nothing) == 2 * len(moved)
    dirty, partials = target.pending()
    assert set(dirty.window.tolist()) == {NOW + 120_000}
    assert sorted((s.city, s.device) for s in map(target.buffer.table.__getitem__, partials.series.tolist())) == sorted(
        moved
    )
    handover.leave(source.buffer, moved, nothing, 1, 2)
    assert handover.devices(source.buffer) >= {("town", d) for d in DATED} - moved
    left = {source.buffer.table[s].device for s in source.pending()[1].series.tolist()}
    assert left == set(DATED) - {device for _, device in moved}
    assert source.buffer.rows() == 2 * len(left)
    assert {(t.city, t.device) for t in target.buffer.ledger.totals()} == moved
    assert {t.device for t in source.buffer.ledger.totals()} == left


def test_a_record_that_came_before_the_move_is_a_duplicate_after_it(tmp_path: Path) -> None:
    source, target = made(tmp_path, Share()), made(tmp_path, Share(2, 2))
    source.accept([pack(d, seq) for d in DATED for seq in (0, 1, 3)], NOW)
    moved = devices_moved(source, target)
    handover.copy(source.buffer, target.buffer, moved, nothing)
    again = Core(target.buffer, target.sources, share=Share(2, 2))
    again.accept([pack(d, seq) for d in DATED for seq in (1, 2, 4)], NOW)
    assert {(t.received, t.duplicate, t.missing) for t in target.buffer.ledger.totals()} == {(5, 1, 0)}


def test_refused_messages_go_with_the_device_that_their_topic_names(tmp_path: Path) -> None:
    source, target = made(tmp_path, Share()), made(tmp_path, Share(2, 2))
    source.accept([pack("d1", 1), Incoming("cv/1/town/d1/data", b"{"), Incoming("cv/1/town/d2/data", b"{")], NOW)

    def is_moved(topic: str) -> bool:
        return topic == "cv/1/town/d1/data"

    for _ in range(2):
        handover.copy(source.buffer, target.buffer, {("town", "d1")}, is_moved)
    handover.leave(source.buffer, {("town", "d1")}, is_moved, 1, 2)
    assert [r.topic for r in target.buffer.rejects.newest()] == ["cv/1/town/d1/data"]
    assert [r.topic for r in source.buffer.rejects.newest()] == ["cv/1/town/d2/data"]


def test_meters_of_a_node_move_with_the_node() -> None:
    for name in DATED:
        assert Share(1, 2).takes("town", name) == Share(1, 2).takes("town", f"{name}.flat-1")


def test_a_gateway_does_not_start_with_another_share_than_its_buffer_has(tmp_path: Path) -> None:
    core = made(tmp_path, Share())
    shares.check_start(core.buffer, Share(1, 2))  # a new one takes what the configuration says
    shares.check_start(core.buffer, Share(1, 2))
    with pytest.raises(UsageError, match=r"was filled with share = \"1/2\" and the configuration says \"1/3\""):
        shares.check_start(core.buffer, Share(1, 3))


def test_a_buffer_of_before_shares_were_noted_is_one_of_all_devices(tmp_path: Path) -> None:
    core = made(tmp_path, Share())
    core.accept([pack(d, 1) for d in DATED], NOW)
    shares.check_start(core.buffer, Share())
    other = made(tmp_path / "other", Share())
    other.accept([pack(d, 1) for d in DATED], NOW)
    with pytest.raises(UsageError, match=r"was filled with share = \"1/1\""):
        shares.check_start(other.buffer, Share(1, 2))


def test_no_gateway_starts_while_a_move_is_interrupted(tmp_path: Path) -> None:
    core = made(tmp_path, Share())
    handover.note_state(core.buffer, handover.COPYING)
    with pytest.raises(UsageError, match="call `cityvitals share` again"):
        shares.check_start(core.buffer, Share())


def config(folder: Path, number: int, share: str, more: str = "") -> Path:
    path = folder / f"gw-{number}.toml"
    path.write_text(f'[gateway]\nid = "gw-{number}"\nbuffer = "{folder}/gw-{number}.db"\nshare = "{share}"\n{more}')
    return path


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (["1/2", "1/2"], "must have the shares 1/2 to 2/2"),
        (["1/3", "2/3"], "the configurations say 1/3, 2/3"),
    ],
)
def test_shares_that_leave_devices_to_nobody_are_refused(said: list[str], why: str, tmp_path: Path) -> None:
    paths = [config(tmp_path, n, share) for n, share in enumerate(said, start=1)]
    with pytest.raises(UsageError, match=why):
        list(shares.move(paths, []))


def test_devices_of_another_door_are_not_moved(tmp_path: Path) -> None:
    source = '[[gateway.source]]\nfamily = "sensor_community"\ncity = "town"\n'
    paths = [config(tmp_path, 1, "1/2", source), config(tmp_path, 2, "2/2")]
    with pytest.raises(UsageError, match="also takes readings by push"):
        list(shares.move(paths, []))


def test_unsent_windows_of_the_receiving_gateway_are_not_given_up(tmp_path: Path) -> None:
    source, target = made(tmp_path, Share()), made(tmp_path, Share(2, 2))
    source.accept([pack("d1", 1)], NOW)
    source.buffer.discard_before(NOW)
    theirs = target.buffer.table.id_of(Series("town", "d2", "power"))
    target.buffer.put(Readings.of([theirs], [NOW - 5 * MINUTE], [1.0]))
    with pytest.raises(Unavailable, match="windows that are not sent"):
        handover.copy(source.buffer, target.buffer, {("town", "d1")}, nothing)
    assert target.buffer.rows() == 1
