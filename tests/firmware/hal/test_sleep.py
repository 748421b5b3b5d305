"""A node on a battery: it wakes, measures, sends and sleeps, and what could not be sent is sent after a later wake."""

from pathlib import Path

from tests.conftest import ServerFactory
from tests.firmware.board_node import BoardNode
from tests.firmware.listener import Listener
from tests.firmware.timeserver import TimeServer
from tests.servers import Mosquitto, wait_for


def boots(heard: Listener) -> set[int]:
    """The boots of which a reading has come."""
    return {r["head"]["boot"] for r in heard.with_values("temperature")}


def test_a_node_on_a_battery_wakes_measures_sends_and_sleeps(server: ServerFactory, tmp_path: Path) -> None:
    broker = server(Mosquitto)
    with (
        Listener(broker.port, "demo") as heard,
        TimeServer() as ntp,
        BoardNode(tmp_path / "board", wifi={"ssid": "home", "password": "secret", "join_ms": 50}) as node,
    ):
        node.wire("bme280")
        node.start(broker.port, interval_s=10, sleep=True, ntp=[ntp.name], battery={"pin": 4, "ratio": 2000})
        wait_for(lambda: {1, 2, 3} <= boots(heard), 60, f"three wakes: {node.console()[-800:]}")
        assert set(node.exits) == {76}
        records = heard.with_values("temperature")
        assert len({(r["head"]["boot"], r["head"]["seq"]) for r in records}) == len(records)
        assert all(r["head"]["tq"] for r in records), [r["head"] for r in records]
        causes = {r["head"]["boot"]: r["values"]["reset_cause"] for r in heard.with_values("reset_cause")}
        assert (causes[1], causes[2]) == (1, 4)  # power-on, deep sleep
        assert heard.with_values("battery")[0]["values"]["battery"] == 0.284  # an open input of 142 mV, doubled
        broker.stop()
        asleep = len(node.exits)
        wait_for(lambda: len(node.exits) > asleep, 90, "a sleep without a broker")
        last = max(boots(heard))
        broker.start()
        wait_for(lambda: set(range(1, last + 2)) <= boots(heard), 90, f"what waited: {node.console()[-800:]}")
