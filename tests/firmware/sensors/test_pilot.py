"""The J1772 control pilot: a steady state out of any noise, a charging session with the energy of a meter beside it."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.hardware.meters import S0Output
from simulators.hardware.pilot import ControlPilot
from tests.conftest import ServerFactory
from tests.firmware.interpreters import run
from tests.firmware.listener import Listener
from tests.firmware.node import Node
from tests.servers import Mosquitto, wait_for

INTERPRETERS = [64, 32, 0]
STREAMS = "100000" if os.environ.get("CITYVITALS_LONG") else "1000"

# Tops in mV, and what is said after the last of them. Nominal voltages of SAE J1772 with their tolerances.
CASES = {
    "no vehicle": ([12000, 11400, 12600], "A"),
    "connected": ([9000, 8400, 9600], "B"),
    "charging": ([6000, 5400, 6600], "C"),
    "with ventilation": ([3000, 2400, 3600], "D"),
    "no pilot": ([0, 600, -600], "E"),
    "out of order": ([-12000, -11400, -12600], "F"),
    "two tops are not enough": ([9000, 9000], None),
    "one other top in between": ([9000, 9000, 6000, 9000, 9000], None),
    "a bounce after a steady state": ([9000, 9000, 9000, 6000], None),
    "the same again after a bounce": ([9000, 9000, 9000, 6000, 9000, 9000, 9000], "B"),
    "a little beyond the limit stays": ([9000] * 3 + [7250] * 9, "B"),
    "and from the other side too": ([6000] * 3 + [7750] * 9, "C"),
    "far beyond does not": ([9000] * 3 + [7150] * 3, "C"),
    "higher than any pilot": ([23000] * 9, None),
    "lower than any pilot": ([-14700] * 9, None),
}


@pytest.mark.parametrize("bits", INTERPRETERS)
def test_every_case_comes_out_as_stated(tmp_path: Path, bits: int) -> None:
    (tmp_path / "cases.json").write_text(json.dumps([tops for tops, _ in CASES.values()]))
    said = json.loads(run("pilot.py", "cases", str(tmp_path / "cases.json"), bits=bits))
    got = {name: letters[-1] for name, letters in zip(CASES, said, strict=True)}
    assert got == {name: expected for name, (_, expected) in CASES.items()}


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("bits", INTERPRETERS)
def test_no_noise_makes_a_state_and_none_hides_a_lasting_one(bits: int) -> None:
    steady, false, late = map(int, run("pilot.py", "fuzz", STREAMS, bits=bits, timeout=3000).split())
    assert (false, late) == (0, 0)
    assert steady > int(STREAMS)


@pytest.fixture
def place(server: ServerFactory, tmp_path: Path) -> Iterator[tuple[Listener, Node, ControlPilot, S0Output]]:
    """A node with a pilot and a meter of 1000 pulses a kWh; its time runs five times as fast."""
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node") as node:
        node.wiring.update(speed=5, analog={})
        pilot, meter = ControlPilot(node.workdir / "cp"), S0Output(node.workdir / "s0")
        node.wire(pilot, "analog", "34")
        node.wire(meter, "pulse", "4")
        sensors = [{"driver": "j1772", "pin": 34}, {"driver": "s0", "pin": 4, "per_kwh": 1000}]
        node.start("127.0.0.1", broker.port, "demo", "ev-1", interval_s=2, sensors=sensors)
        yield heard, node, pilot, meter


def test_a_session_has_the_energy_of_the_meter_beside_the_pilot(
    place: tuple[Listener, Node, ControlPilot, S0Output],
) -> None:
    heard, node, pilot, meter = place

    def shows(code: int) -> None:
        """Wait for a record with this connector state, newer than now."""
        before = len(heard.with_values("pulses"))
        wait_for(lambda: code in states(before), 20, f"connector state {code}")

    def states(since: int) -> list[float]:
        return [r["values"].get("connector_state") for r in heard.with_values("pulses")[since:]]

    shows(0)
    pilot.state = "B"
    shows(1)
    pilot.state, pilot.duty, pilot.bounce = "C", 0.53, 150
    shows(2)
    meter.pulse(42)
    wait_for(lambda: heard.with_values("pulses")[-1]["values"]["pulses"] == 42, 20, "the pulses")
    pilot.state = "A"
    event = wait_for(lambda: heard.with_values("session_energy"), 20, "the session")
    assert event[0]["values"]["session_energy"] == 42.0
    pilot.state = "F"
    shows(3)
    pilot.broken = True
    before = len(heard.with_values("pulses"))
    wait_for(lambda: states(before)[-2:] == [None, None], 20, "records without a state")
    assert node.exits == []
