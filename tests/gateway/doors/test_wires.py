"""Devices on wires: byte-level models on pseudo-terminals and a real Modbus TCP server, as far as the buffer."""

from __future__ import annotations

import asyncio
import struct
import sys
import threading
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import ModbusTcpServer

from cityvitals.clock import now_ms
from gateway.doors.modbus import ModbusDoor
from gateway.doors.serial import SerialDoor
from simulators.hardware.line import Device, Faults
from simulators.hardware.meters import P1Port
from simulators.hardware.modbus_line import ModbusLine, sdm120
from simulators.hardware.particles import Sds011
from simulators.hardware.pms5003 import Pms5003
from simulators.hardware.sml import SmlMeter
from telemetry.errors import UsageError
from tests.gateway.doors.door_core import DoorCore
from tests.processes import free_port, wait_for


@contextmanager
def running(*things: Any) -> Iterator[None]:
    for thing in things:
        thing.start()
    try:
        yield
    finally:
        for thing in reversed(things):
            thing.stop()


class Bytes(Device):
    """Sends the same bytes again and again."""

    def __init__(self, path: Path, data: bytes, pause_s: float = 0.5) -> None:
        super().__init__(path)
        self.data, self.pause_s, self.asked = data, pause_s, b""

    def step(self) -> None:
        self.asked += self.line.receive(0.05)
        self.line.send(self.data)
        self.rest(self.pause_s)


def wire(folder: Path, family: str, **more: Any) -> dict[str, Any]:
    return {"family": family, "port": str(folder / "tty"), "device": "d1", "every_s": 1, **more}


IEC = b"/ESY5Q3DA1004 V3.02\r\n\r\n1-0:1.8.0*255(00300.75*kWh)\r\n1-0:16.7.0*255(001.25*kW)\r\n!\r\n"
MODELS: dict[str, tuple[Callable[[Path], Device], dict[str, float]]] = {
    "p1": (lambda p: P1Port(p, lambda: (1_234_567, 456)), {"energy_total": 1234.567, "power": 456.0}),
    "sml": (SmlMeter, {"energy_total": 12345.6789, "power": -1234.0, "voltage": 230.1}),
    "iec62056": (lambda p: Bytes(p, IEC), {"energy_total": 300.75, "power": 1250.0}),
    "pms5003": (Pms5003, {"pm1": 4.0, "pm2_5": 10.0, "pm10": 12.0}),
    "sds011": (Sds011, {"pm2_5": 12.3, "pm10": 45.6}),
}


@pytest.mark.parametrize("family", list(MODELS))
@pytest.mark.parametrize("faults", ["clean", "in pieces with noise and flipped bits"])
def test_a_device_on_a_serial_line_is_stored(tmp_path: Path, family: str, faults: str) -> None:
    make, expected = MODELS[family]
    core = DoorCore(tmp_path, wire(tmp_path, family))
    model = make(tmp_path / "tty")
    if faults != "clean":
        model.line.faults = Faults(piece=7, pause_s=0.001, noise=20, corrupt_every=3)
    with running(model, SerialDoor(core.sources[0], core.inbox, now_ms)):
        wait_for(lambda: len(core.rows("d1", next(iter(expected)))) >= 2, 30, "two readings")
    core.stop()
    for quantity, value in expected.items():
        values = core.values("d1", quantity)
        assert value in [pytest.approx(v) for v in values]
        if family != "iec62056" or faults == "clean":  # its telegrams have no checksum
            assert [v for v in values if v != pytest.approx(value)] == []


def test_a_dlms_meter_is_read_by_the_silence_between_its_messages(tmp_path: Path) -> None:
    from tests.replay.recorded import need

    text = need("device_payloads/p1_dlms_telegrams_athom/dlms/aidon-example-1.txt").read_text()
    core = DoorCore(tmp_path, wire(tmp_path, "dlms"))
    model = Bytes(tmp_path / "tty", bytes.fromhex("".join(text.split())), 1.0)
    with running(model, SerialDoor(core.sources[0], core.inbox, now_ms)):
        wait_for(lambda: bool(core.rows("d1", "power")), 30, "a reading")
    core.stop()
    assert all(reason.startswith("sample:") for reason in core.reasons)


def test_the_meter_is_asked_for_its_telegram(tmp_path: Path) -> None:
    core = DoorCore(tmp_path, wire(tmp_path, "iec62056"))
    model = Bytes(tmp_path / "tty", IEC)
    with running(model, SerialDoor(core.sources[0], core.inbox, now_ms)):
        wait_for(lambda: b"/?!\r\n" in model.asked, 20, "the request")
    core.stop()


def test_a_reading_has_the_gateways_time_and_comes_once_in_its_interval(tmp_path: Path) -> None:
    core = DoorCore(tmp_path, wire(tmp_path, "pms5003"))
    model, before = Pms5003(tmp_path / "tty", period_s=0.05), now_ms()
    with running(model, SerialDoor(core.sources[0], core.inbox, now_ms)):
        wait_for(lambda: len(core.rows("d1", "pm10")) >= 4, 30, "four readings")
    core.stop()
    times = [t for *_, t in core.rows("d1", "pm10")]
    assert all(before <= t <= now_ms() for t in times)
    assert len({t // 1000 for t in times}) == len(times)


def test_a_line_that_is_unplugged_goes_on_when_it_is_back(tmp_path: Path) -> None:
    core = DoorCore(tmp_path, wire(tmp_path, "sml"))
    model = SmlMeter(tmp_path / "tty")
    with running(model, SerialDoor(core.sources[0], core.inbox, now_ms)):
        for _ in range(2):
            count = len(core.rows("d1", "power"))
            wait_for(lambda: len(core.rows("d1", "power")) > count, 60, "a reading")  # noqa: B023
            model.line.unplug()
            model.rest(0.5)
            model.line.plug()
        count = len(core.rows("d1", "power"))
        wait_for(lambda: len(core.rows("d1", "power")) > count, 60, "a reading after the last time")
    core.stop()


def test_nothing_is_lost_while_the_disk_is_full(tmp_path: Path) -> None:
    core = DoorCore(tmp_path, wire(tmp_path, "pms5003"))
    model, wanted = Pms5003(tmp_path / "tty"), 3
    with running(model, SerialDoor(core.sources[0], core.inbox, now_ms)):
        core.storing = False
        wait_for(lambda: core.denied > 0, 20, "a delivery that cannot be stored")
        since = now_ms()
        wait_for(lambda: now_ms() > since + 3500, 20, "three more intervals")
        core.storing = True
        wait_for(lambda: len([r for r in core.rows("d1", "pm10") if r[3] < since + 3500]) >= wanted, 30, "them all")
    core.stop()


# -- Modbus ------------------------------------------------------------


def test_several_meters_on_one_line_one_of_them_silent(tmp_path: Path) -> None:
    meters = {n: sdm120(230.0 + n, 1.0, 100.0 * n, 1000.0 + n) for n in (1, 2, 3)}
    names = {n: wire(tmp_path, "sdm120", device=f"m{n}", unit=n) for n in (1, 2, 3, 4)}
    core = DoorCore(tmp_path, *names.values())
    line = ModbusLine(tmp_path / "tty", meters)
    with running(line, ModbusDoor(core.sources, core.inbox, now_ms)):
        wait_for(lambda: all(len(core.rows(f"m{n}", "power")) >= 2 for n in meters), 60, "all three meters")
        away = line.meters.pop(2)
        count = len(core.rows("m3", "power"))
        wait_for(lambda: len(core.rows("m3", "power")) >= count + 2, 60, "the third while the second is away")
        line.meters[2] = away
        count = len(core.rows("m2", "power"))
        wait_for(lambda: len(core.rows("m2", "power")) > count, 60, "the second again")
    core.stop()
    for n in meters:
        assert set(core.values(f"m{n}", "power")) == {100.0 * n}
        assert set(core.values(f"m{n}", "energy_total")) == {1000.0 + n}
    assert core.rows("m4") == []


def test_a_modbus_line_that_is_unplugged_goes_on_when_it_is_back(tmp_path: Path) -> None:
    core = DoorCore(tmp_path, wire(tmp_path, "sdm120"))
    line = ModbusLine(tmp_path / "tty", {1: sdm120(230.0, 1.0, 100.0, 1000.0)})
    with running(line, ModbusDoor(core.sources, core.inbox, now_ms)):
        wait_for(lambda: bool(core.rows("d1", "power")), 30, "a reading")
        line.line.unplug()
        line.rest(1.0)
        line.line.plug()
        count = len(core.rows("d1", "power"))
        wait_for(lambda: len(core.rows("d1", "power")) > count, 60, "a reading afterwards")
    core.stop()


class TcpServer:
    """pymodbus' own server with the registers of one device, in a thread; it can be stopped and started again."""

    def __init__(self, port: int, registers: dict[int, list[int]], unit: int = 1) -> None:
        self.port, self._loop = port, asyncio.new_event_loop()
        words = [0] * 65000
        for at, found in registers.items():
            words[at : at + len(found)] = found
        block = ModbusSequentialDataBlock(1, words)  # its blocks count from 1
        self._context = ModbusServerContext(devices={unit: ModbusDeviceContext(hr=block, ir=block)}, single=False)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def _run(self, ready: threading.Event) -> None:
        async def serve() -> None:
            self._server = ModbusTcpServer(self._context, address=("127.0.0.1", self.port))
            await self._server.listen()
            ready.set()
            self._over = asyncio.Event()
            await self._over.wait()
            await self._server.shutdown()

        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(serve())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        if self._thread:
            self._thread.join(10)


def floats(value: float) -> list[int]:
    return list(struct.unpack(">HH", struct.pack(">f", value)))


def test_a_device_of_modbus_tcp_is_read_also_after_it_was_away(tmp_path: Path) -> None:
    port = free_port()
    core = DoorCore(tmp_path, {"family": "janitza", "port": f"tcp://127.0.0.1:{port}", "device": "j1", "every_s": 1})
    server = TcpServer(port, {19000: floats(230.5), 19026: floats(1715.0), 19068: floats(12345.5)})
    with running(ModbusDoor(core.sources, core.inbox, now_ms)):
        with running(server):
            wait_for(lambda: bool(core.rows("j1", "power")), 30, "a reading")
        count = len(core.rows("j1", "power"))
        with running(server):
            wait_for(lambda: len(core.rows("j1", "power")) > count, 60, "a reading after the restart")
    core.stop()
    assert set(core.values("j1", "power")) == {1715.0}
    assert set(core.values("j1", "energy_total")) == {12.3455}


def test_the_models_of_a_sunspec_device_are_found(tmp_path: Path) -> None:
    inverter = [103, 50, *[0] * 50]
    inverter[14:16], inverter[24:27] = [3455, 65535], [18, 54919, 1]
    chain = [0x5375, 0x6E53, 1, 65, *[0] * 65, *inverter, 0xFFFF, 0]
    port = free_port()
    core = DoorCore(tmp_path, {"family": "sunspec", "port": f"tcp://127.0.0.1:{port}", "device": "pv", "every_s": 1})
    with running(TcpServer(port, {40000: chain}), ModbusDoor(core.sources, core.inbox, now_ms)):
        wait_for(lambda: bool(core.rows("pv", "energy_export_total")), 30, "a reading")
    core.stop()
    assert core.values("pv", "power")[0] == pytest.approx(-345.5)
    assert core.values("pv", "energy_export_total")[0] == pytest.approx((18 * 65536 + 54919) / 100)


SDM120 = {"family": "sdm120", "port": "x", "device": "d1"}


# -- what cannot work ------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ({"family": "sdm120"}, "is on a wire: add `port"),
        ({"family": "sdm120", "port": "/dev/ttyUSB0"}, "the device's id"),
        ({"family": "tasmota", "port": "/dev/ttyUSB0", "device": "d1"}, "does not come on a wire"),
        ({**SDM120, "options": {"wrods": "low"}}, "did you mean 'words'"),
        (
            {**SDM120, "options": {"registers": {"power": {"at": 1, "type": "f23"}}}},
            "did you mean 'f32'",
        ),
        ({"family": "files"}, 'add `folder = "/srv/drop"`'),
        ({"family": "files", "folder": "/x", "files": "uk_airr"}, "did you mean 'uk_air'"),
    ],
)  # fmt: skip
def test_a_source_that_cannot_work_is_a_sentence(tmp_path: Path, source: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        DoorCore(tmp_path, source)


def test_a_port_that_is_not_there_is_said_and_tried_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    core = DoorCore(tmp_path, wire(tmp_path, "pms5003"))
    door = SerialDoor(core.sources[0], core.inbox, now_ms)
    door.start()
    wait_for(lambda: "retrying until it is back" in caplog.text, 10, "the sentence")
    assert str(tmp_path / "tty") in caplog.text
    with running(Pms5003(tmp_path / "tty")):
        wait_for(lambda: bool(core.rows("d1", "pm10")), 60, "a reading once it is there")
    door.stop()
    core.stop()


def test_the_registers_are_those_of_the_firmware() -> None:
    sys.modules.setdefault("micropython", types.SimpleNamespace(const=lambda x: x))  # type: ignore[arg-type]
    from edge.firmware.sensors.modbus_meter import MODELS as OF_FIRMWARE
    from gateway.decoding.registers import table
    from gateway.devices import template

    for model in ("sdm120", "sdm72d", "sdm630"):
        known = {r.name: (r.function, r.at) for r in table(template(model).message[0].options).models[0]}
        for function, first, _, fields in OF_FIRMWARE[model]:
            for name, at, *_ in fields:
                assert known[name] == (function, first + at), f"{model}: {name}"
