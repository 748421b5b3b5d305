"""A reading gets its true time: before the first synchronisation, after a reset, and after a loss of power."""

from pathlib import Path

from tests.conftest import ServerFactory
from tests.firmware.flash import ring_of
from tests.firmware.listener import Listener
from tests.firmware.node import Node
from tests.firmware.timeserver import FastClock, TimeServer
from tests.servers import Mosquitto, wait_for

SPEED = 3


def test_the_node_accepts_the_first_server_with_a_possible_time(server: ServerFactory, tmp_path: Path) -> None:
    broker, clock = server(Mosquitto), FastClock(SPEED)
    with (
        Listener(broker.port, "demo", clock) as heard,
        Node(tmp_path / "node") as node,
        TimeServer(clock, silent=True) as dead,
        TimeServer(clock, shift_s=-56 * 365 * 86400) as epoch,
        TimeServer(clock) as good,
    ):
        node.wiring["speed"] = SPEED
        node.start("127.0.0.1", broker.port, "demo", "n1", ntp=[dead.name, epoch.name, good.name])
        wait_for(lambda: [r for r in heard.with_values() if r["head"]["tq"] == 2], 30, "a synchronised record")
        assert dead.asked
        assert epoch.asked
        record = [r for r in heard.with_values() if r["head"]["tq"] == 2][-1]
        assert abs(record["time"] - record["arrival"]) < 60


def test_readings_wait_for_the_time_as_long_as_it_may_still_come(server: ServerFactory, tmp_path: Path) -> None:
    broker, clock = server(Mosquitto), FastClock(SPEED)
    with (
        Listener(broker.port, "demo", clock) as heard,
        Node(tmp_path / "node") as node,
        TimeServer(clock, silent=True) as ntp,
    ):
        node.wiring["speed"] = SPEED
        node.start("127.0.0.1", broker.port, "demo", "n1", ntp=[ntp.name])
        wait_for(lambda: heard.on("/status") and ntp.asked >= 2, 20, "a node that is online and has no answer yet")
        taken = ring_of(node.workdir).next
        ntp.silent = False
        wait_for(lambda: len(heard.with_values()) > taken, 30, "the readings")
        assert {r["head"]["tq"] for r in heard.with_values()} == {2}


def test_readings_from_before_the_first_sync_and_before_a_power_cut_get_their_true_time(
    server: ServerFactory, tmp_path: Path
) -> None:
    """The particle sensor reports the true time, so each record carries the proof of its own stamp."""
    broker, clock = server(Mosquitto), FastClock(SPEED)
    start = int(clock()) - 10
    with (
        Listener(broker.port, "demo", clock) as heard,
        Node(tmp_path / "node") as node,
        TimeServer(clock, silent=True) as ntp,
    ):
        broker.stop()
        node.wiring["speed"] = SPEED
        node.configure("127.0.0.1", broker.port, "demo", "n1", ntp=[ntp.name], ntp_wait_s=5)
        node.pms.period_s = 0.02
        node.pms.values = lambda: (1, 2, round(clock()) - start)
        node.boot()
        wait_for(lambda: ntp.asked >= 2, 30, "the node to request the time without an answer")
        node.kill()  # a reset: the RTC goes on
        node.boot()
        asked = ntp.asked
        wait_for(lambda: ntp.asked > asked, 30, "the node to ask again")
        ntp.silent = False
        wait_for((node.workdir / "anchors").exists, 30, "the first synchronisation")
        node.power_cut()
        ntp.silent = True
        node.boot()
        broker.start()
        wait_for(lambda: {1, 2, 3} <= {r["head"]["boot"] for r in heard.with_values("pm10")}, 30, "all three boots")
        records = heard.with_values("pm10")
    # The RTC runs on over a reset, but may jump there: what it carried over is an estimate.
    by_quality = {tq: {r["head"]["boot"] for r in records if r["head"]["tq"] == tq} for tq in (2, 1, 0)}
    assert by_quality == {2: {2}, 1: {1}, 0: {3}}
    exact = [r for r in records if r["head"]["tq"]]
    estimated = [r for r in records if r["head"]["tq"] == 0]
    # One second is what whole seconds can say; a busy computer may hold up a few readings for longer.
    for records, usual in ((exact, 1), (estimated, 2)):
        errors = sorted(abs(r["time"] - start - r["values"]["pm10"]) for r in records)
        assert errors[len(errors) // 2] <= usual
        assert errors[-1] <= usual + 2 * SPEED
