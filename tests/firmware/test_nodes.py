"""Every kind of node with its virtual hardware: what a device shows is what arrives, and what is broken is missing."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.hardware.charger import OpenEvse
from simulators.hardware.climate import Ads1115, Scd41, Sht4x
from simulators.hardware.i2c import Bus, Chip
from simulators.hardware.line import Faults
from simulators.hardware.meters import ModbusSlave, P1Port, Pzem004t, S0Output, Sdm630
from simulators.hardware.particles import Sds011, Sps30
from tests.conftest import ServerFactory
from tests.firmware.listener import Listener
from tests.firmware.node import Node
from tests.servers import Mosquitto, wait_for

Place = tuple[Listener, Node, int]


@pytest.fixture
def place(server: ServerFactory, tmp_path: Path) -> Iterator[Place]:
    """Somebody who listens, a node without hardware yet, and the broker's port; time runs five times as fast."""
    broker = server(Mosquitto)
    with Listener(broker.port, "demo") as heard, Node(tmp_path / "node") as node:
        node.wiring["speed"] = 5
        yield heard, node, broker.port


def start(place: Place, *sensors: dict[str, Any]) -> None:
    """Switch the node on with these drivers."""
    _, node, port = place
    node.start("127.0.0.1", port, "demo", "n1", interval_s=2, sensors=list(sensors))


def rough() -> Faults:
    """A bad line: bytes dribble, noise before each frame, every fourth frame corrupted."""
    return Faults(piece=7, pause_s=0.002, noise=9, corrupt_every=4)


def values_with(heard: Listener, *names: str) -> dict[str, float]:
    """The values of the first record that holds these quantities."""
    found: dict[str, float] = wait_for(lambda: heard.with_values(*names), 25, f"a record with {names}")[0]["values"]
    return found


def test_every_air_sensor_reports_what_its_model_shows_on_a_bad_line(place: Place) -> None:
    heard, node, _ = place
    node.wire(Sds011(node.workdir / "u1", faults=rough()), "uart", "1")
    chips: dict[int, Chip] = {0x44: Sht4x(), 0x62: Scd41(running=True), 0x48: Ads1115([512000, 300000, -25000, 1000])}
    node.wire(Bus(node.workdir / "i2c", chips), "i2c", "0")
    start(
        place,
        {"driver": "sds011", "port": 1},
        {"driver": "sht4x"},
        {"driver": "scd41"},
        {"driver": "ads1115", "channels": {"no2_we": 0, "no2_ae": 1, "o3_we": 2, "o3_ae": 3}},
    )
    got = values_with(heard, "pm2_5", "temperature", "co2", "no2_we")
    assert (got["pm2_5"], got["pm10"], got["co2"]) == (12.3, 45.6, 612)
    assert (got["temperature"], got["humidity"]) == (25.0, 40.0)  # of two thermometers the first in the file
    assert [got[n] for n in ("no2_we", "no2_ae", "o3_we", "o3_ae")] == [512.0, 300.0, -25.0, 1.0]


def test_an_sps30_is_started_and_read(place: Place) -> None:
    heard, node, _ = place
    node.wire(Sps30(node.workdir / "u1", faults=Faults(piece=5, pause_s=0.002)), "uart", "1")
    start(place, {"driver": "sps30", "port": 1})
    got = values_with(heard, "pm10")
    assert (got["pm1"], got["pm2_5"], got["pm10"]) == (3.5, 7.25, 9.5)


def test_a_modbus_meter_is_read_over_a_bad_line(place: Place) -> None:
    heard, node, _ = place
    meter = Pzem004t(node.workdir / "u1", faults=rough())
    meter.measure(225.7, 0.108, 24.4, 70038)
    node.wire(meter, "uart", "1")
    start(place, {"driver": "pzem004t", "port": 1})
    got = values_with(heard, "voltage")
    assert got == {
        "voltage": 225.7,
        "current": 0.108,
        "power": 24.4,
        "energy_total": 70038,
        "frequency": 50.0,
        "power_factor": 1.0,
    }


def test_a_three_phase_meter_reports_energy_in_whole_watt_hours(place: Place) -> None:
    heard, node, _ = place
    meter = Sdm630(node.workdir / "u1")
    meter.measure(230.5, 3.25, 2200.5, 12345.678, 1.5)
    node.wire(meter, "uart", "1")
    start(place, {"driver": "sdm630", "port": 1})
    got = values_with(heard, "energy_total")
    assert got["energy_total"] == pytest.approx(12345678, abs=1)  # the register is a float32
    assert (got["energy_export_total"], got["power"], got["voltage"], got["current"]) == (1500, 2200.5, 230.5, 3.25)


def test_a_p1_port_and_pulses_are_read_together(place: Place) -> None:
    heard, node, _ = place
    port = P1Port(node.workdir / "u1", lambda: (2345678, 450), faults=Faults(piece=64, corrupt_every=3))
    contact = S0Output(node.workdir / "s0")
    node.wire(port, "uart", "1")
    node.wire(contact, "pulse", "4")
    start(place, {"driver": "dsmr_p1", "port": 1}, {"driver": "s0", "pin": 4, "per_kwh": 1000})
    got = values_with(heard, "power", "pulses")
    assert (got["energy_total"], got["power"], got["voltage"], got["pulses"]) == (2345678, 450, 231.4, 0)
    contact.pulse(3)
    wait_for(lambda: [r for r in heard.with_values("pulses") if r["values"]["pulses"] == 3], 10, "three pulses")


def test_an_unplugged_meter_is_missing_and_comes_back_when_plugged_in(place: Place) -> None:
    heard, node, _ = place
    meter = Pzem004t(node.workdir / "u1")
    meter.measure(230.0, 1.0, 230.0, 1000)
    node.wire(meter, "uart", "1")
    start(place, {"driver": "pzem004t", "port": 1})
    values_with(heard, "voltage")
    meter.line.unplug()
    before = len(heard.with_values("voltage"))
    meter.measure(230.0, 1.0, 230.0, 1001)
    meter.line.plug()
    wait_for(lambda: len(heard.with_values("voltage")) > before + 1, 25, "readings after the plug is in again")
    assert {r["values"]["voltage"] for r in heard.with_values("voltage")} == {230.0}
    assert node.exits == []


def test_a_charging_session_is_one_event_also_over_a_restart(place: Place) -> None:
    heard, node, _ = place
    station = OpenEvse(node.workdir / "u1")
    node.wire(station, "uart", "1")
    start(place, {"driver": "openevse", "port": 1})

    def state(code: int) -> None:
        wait_for(lambda: heard.with_values("connector_state")[-1:] and last() == code, 20, f"state {code}")

    def last() -> float:
        value: float = heard.with_values("connector_state")[-1]["values"]["connector_state"]
        return value

    state(0)
    station.connect()
    state(1)
    station.charge(4200)
    state(2)
    node.kill()
    station.charge(1800)
    node.boot()
    wait_for(lambda: heard.with_values("connector_state")[-1]["head"]["boot"] == 2 and last() == 2, 20, "boot 2")
    station.leave()
    event = wait_for(lambda: heard.with_values("session_energy"), 20, "the session")
    state(0)
    assert len(heard.with_values("session_energy")) == 1
    assert event[0]["values"]["session_energy"] == 6000.0
    assert event[0]["head"]["key"].startswith("1-")
    assert "session_energy" not in heard.with_values("connector_state")[-1]["values"]


def test_a_modbus_station_reports_its_state_and_session(place: Place) -> None:
    heard, node, _ = place
    station = ModbusSlave(node.workdir / "u1", function=3)
    station.registers = dict.fromkeys(range(0x400C, 0x4020), 0)
    station.registers.update({0x400D: 0x0300, 0x4011: 16000, 0x4017: 2301, 0x401D: 3680, 0x401F: 5500})
    node.wire(station, "uart", "1")
    start(place, {"driver": "modbus_evse", "port": 1, "model": "abb_terra"})
    got = values_with(heard, "connector_state")
    assert (got["connector_state"], got["current"], got["voltage"], got["power"]) == (2, 16.0, 230.1, 3680)
    station.registers[0x400D] = 0
    assert values_with(heard, "session_energy")["session_energy"] == 5500
