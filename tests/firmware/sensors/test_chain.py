"""Several meters on one RS-485 line, each with a name of its own, and pulses that no block of the node can lose."""

import json
from pathlib import Path
from typing import Any

from edge.tools import node_kinds
from simulators.hardware.modbus_line import ModbusLine, sdm120
from tests.conftest import ServerFactory
from tests.firmware.boards import StrictBoard
from tests.firmware.listener import Listener
from tests.firmware.node import Node
from tests.servers import Mosquitto, wait_for

FLATS = range(1, 11)


def chain(path: Path) -> ModbusLine:
    """Ten SDM120 on one line that need silence between frames; flat n has used n kWh."""
    return ModbusLine(path, {n: sdm120(230 + n, n / 10, 20 * n, float(n)) for n in FLATS}, quiet_s=0.02)


def sensors() -> list[dict[str, object]]:
    """What a technician writes for them."""
    options = [f"modbus_meter,unit={n},channel=flat-{n},gap_ms=40" for n in FLATS]
    return [*node_kinds.sensors("energy", options, "esp32s3")]


def test_ten_meters_on_one_line_are_ten_devices_and_one_that_is_gone_delays_no_other(
    server: ServerFactory, tmp_path: Path
) -> None:
    broker = server(Mosquitto)
    assert node_kinds.faults(sensors(), "esp32s3") == []
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node") as node:
        line = chain(node.workdir / "u1")
        node.wire(line, "uart", "1")
        node.start("127.0.0.1", broker.port, "demo", "n1", interval_s=5, sensors=sensors())
        names = [f"flat-{n}/energy_total" for n in FLATS]
        first = wait_for(lambda: heard.with_values(*names), 180, f"all ten: {node.console()[-500:]}")[0]["values"]
        assert [first[name] for name in names] == [n * 1000 for n in FLATS]
        assert first["channels"] == 10
        del line.meters[4]
        rest = [name for name in names if "-4/" not in name]

        def without_it() -> list[dict[str, Any]]:
            return [r for r in heard.with_values(*rest) if names[3] not in r["values"]]

        wait_for(lambda: len(without_it()) >= 2, 180, "nine meters")
        assert line.early == 0
        assert "modbus_meter flat-4 UART 1 unit 4: no answer" in node.console()


def test_two_meters_without_names_or_with_one_address_are_refused() -> None:
    both = node_kinds.sensors("energy", ["modbus_meter", "modbus_meter"], "esp32s3")
    assert "address (unit) 1" in node_kinds.faults(both, "esp32s3")[0]
    both[1]["unit"] = 2
    assert "give each a 'channel'" in node_kinds.faults(both, "esp32s3")[0]


def test_the_chip_counts_on_through_blocks_of_two_and_fourteen_seconds_and_over_a_reset(tmp_path: Path) -> None:
    with StrictBoard(tmp_path, "esp32s3", version=[1, 26]) as board:
        options = board.wire("s0")
        done = board.run("pulse_blocks.py", json.dumps(options), "200", timeout=60)
        assert done.stdout.split() == ["200", "900", "900"], done.stdout + done.stderr
        again = board.run("pulse_blocks.py", json.dumps(options), "0", timeout=60)
        assert again.stdout.split()[0] == "900", again.stdout + again.stderr


def test_without_a_counter_in_the_chip_eight_pulses_survive_a_block(tmp_path: Path) -> None:
    with StrictBoard(tmp_path, "esp32c3") as board:
        options = board.wire("s0")
        done = board.run("pulse_blocks.py", json.dumps(options), "8", timeout=60)
        assert done.stdout.split()[0] == "8", done.stdout + done.stderr
