"""Meters: Modbus RTU slaves (PZEM-004T, SDM630), a DSMR P1 port, and the contact of an S0 output."""

import struct
from collections.abc import Callable
from pathlib import Path

from simulators.hardware.line import Device, Faults


def crc16(data: bytes, start: int) -> int:
    """Reflected CRC with polynomial A001: start FFFF for Modbus, 0 for P1."""
    crc = start
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


class ModbusSlave(Device):
    """Answers reads of registers; `registers` may be changed while it runs, one that is absent is an exception."""

    def __init__(self, path: Path, function: int = 4, unit: int = 1, faults: Faults | None = None) -> None:
        super().__init__(path, faults)
        self.function = function
        self.unit = unit
        self.registers: dict[int, int] = {}
        self.asked = 0
        self._pending = b""

    def step(self) -> None:
        """Answer the requests that have arrived."""
        self._pending = (self._pending + self.line.receive())[-256:]
        while len(self._pending) >= 8:
            request = self._pending[:8]
            if crc16(request[:6], 0xFFFF) != int.from_bytes(request[6:], "little"):
                self._pending = self._pending[1:]
                continue
            self._pending = self._pending[8:]
            if request[0] == self.unit:
                self._answer(request)

    def _answer(self, request: bytes) -> None:
        self.asked += 1
        function, first, count = struct.unpack(">BHH", request[1:6])
        wanted = range(first, first + count)
        if function != self.function or not all(at in self.registers for at in wanted):
            body = bytes([self.unit, function | 0x80, 2])
        else:
            data = b"".join(self.registers[at].to_bytes(2, "big") for at in wanted)
            body = bytes([self.unit, function, len(data)]) + data
        self.line.send(body + crc16(body, 0xFFFF).to_bytes(2, "little"))

    def floats(self, first: int, *values: float) -> None:
        """Set float32 registers, high word first."""
        for i, value in enumerate(values):
            high, low = struct.unpack(">HH", struct.pack(">f", value))
            self.registers[first + 2 * i], self.registers[first + 2 * i + 1] = high, low


class Pzem004t(ModbusSlave):
    """A PZEM-004T v3: `measure` sets its values."""

    def measure(self, volt: float, ampere: float, watt: float, watt_hours: int, hertz: float = 50.0) -> None:
        """Set all registers at once."""
        milliampere, deciwatt = round(ampere * 1000), round(watt * 10)
        words = [round(volt * 10)]
        for value in (milliampere, deciwatt, watt_hours):
            words += [value & 0xFFFF, value >> 16]
        factor = round(100 * watt / (volt * ampere)) if volt * ampere else 0
        self.registers = dict(enumerate([*words, round(hertz * 10), min(factor, 100), 0]))


class Sdm630(ModbusSlave):
    """An SDM630: `measure` sets its values; all three phases are equal."""

    def measure(self, volt: float, ampere: float, watt: float, imported_kwh: float, exported_kwh: float = 0.0) -> None:
        """Set the registers that a node reads."""
        self.floats(0x00, *[volt] * 3, *[ampere] * 3)
        self.floats(0x34, watt)
        self.floats(0x46, 50.0, imported_kwh, exported_kwh)


def telegram(watt_hours: int, watt: int, exported_wh: int = 0) -> bytes:
    """A DSMR 5 telegram with its check sum."""
    lines = [
        "/CVT5VIRTUAL",
        "",
        "1-3:0.2.8(50)",
        f"1-0:1.8.1({watt_hours / 1000:010.3f}*kWh)",
        "1-0:1.8.2(000000.000*kWh)",
        f"1-0:2.8.1({exported_wh / 1000:010.3f}*kWh)",
        "1-0:2.8.2(000000.000*kWh)",
        f"1-0:1.7.0({watt / 1000:06.3f}*kW)",
        "1-0:2.7.0(00.000*kW)",
        "0-0:96.13.0(" + "30" * 200 + ")",
        "1-0:32.7.0(231.4*V)",
        "1-0:31.7.0(001*A)",
        "!",
    ]
    text = "\r\n".join(lines).encode()
    return text + b"%04X\r\n" % crc16(text, 0)


class P1Port(Device):
    """Sends a telegram every `period_s`; `values()` gives (Wh, W)."""

    def __init__(
        self, path: Path, values: Callable[[], tuple[int, int]], period_s: float = 0.5, faults: Faults | None = None
    ) -> None:
        super().__init__(path, faults)
        self.values = values
        self.period_s = period_s

    def step(self) -> None:
        """Send a telegram and wait for the next."""
        self.line.send(telegram(*self.values()))
        self.rest(self.period_s)


class S0Output(Device):
    """A contact: `pulse(n)` closes it n times; a line with a number from the other end does so too."""

    def pulse(self, count: int) -> None:
        """Close the contact some times."""
        self.line.send(b"|" * count)

    def step(self) -> None:
        """Give as many pulses as a received number requests."""
        asked = self.line.receive().strip()
        if asked.isdigit():
            self.pulse(int(asked))
        self.rest(0.05)
