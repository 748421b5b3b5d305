"""Particle sensors beside the PMS5003: a Nova SDS011 that streams, a Sensirion SPS30 that answers (SHDLC)."""

import struct
from collections.abc import Callable
from pathlib import Path

from simulators.hardware.climate import with_crc
from simulators.hardware.line import Device, Faults

STUFF = {0x7E: b"\x7d\x5e", 0x7D: b"\x7d\x5d", 0x11: b"\x7d\x31", 0x13: b"\x7d\x33"}


class Sds011(Device):
    """`values()` gives (PM2.5, PM10) in tenths of ug/m3 for each frame."""

    def __init__(
        self,
        path: Path,
        values: Callable[[], tuple[int, int]] = lambda: (123, 456),
        period_s: float = 0.2,
        faults: Faults | None = None,
    ) -> None:
        super().__init__(path, faults)
        self.values = values
        self.period_s = period_s

    def step(self) -> None:
        """Send a frame and wait for the next."""
        body = struct.pack("<HH", *self.values()) + b"\xa1\x60"
        self.line.send(b"\xaa\xc0" + body + bytes([sum(body) & 255, 0xAB]))
        self.rest(self.period_s)


def shdlc(content: bytes) -> bytes:
    """Add the check sum, stuff, and put between two flags."""
    whole = content + bytes([~sum(content) & 255])
    return b"\x7e" + b"".join(STUFF.get(byte, bytes([byte])) for byte in whole) + b"\x7e"


def unstuffed(wire: bytes) -> bytes:
    """Undo the stuffing."""
    for byte, code in sorted(STUFF.items(), key=lambda item: item[0] == 0x7D):
        wire = wire.replace(code, bytes([byte]))
    return wire


class Sps30(Device):
    """Answers start, stop and read; `mass` holds PM1, PM2.5, PM4 and PM10."""

    def __init__(
        self, path: Path, mass: tuple[float, ...] = (3.5, 7.25, 8.0, 9.5), faults: Faults | None = None
    ) -> None:
        super().__init__(path, faults)
        self.mass = mass
        self.running = False
        self._pending = b""

    def step(self) -> None:
        """Answer what has been asked."""
        *frames, self._pending = (self._pending + self.line.receive()).split(b"\x7e")
        for frame in filter(None, frames):
            self._answer(unstuffed(frame))

    def _answer(self, request: bytes) -> None:
        command = request[1]
        state, data = 0, b""
        if command == 3:
            state = 0 if self.running else 0x43
            data = struct.pack(">10f", *self.mass, 1, 2, 3, 4, 5, 0.5) if self.running else b""
        elif command in (0, 1):
            self.running = command == 0
        self.line.send(shdlc(bytes([0, command, state, len(data)]) + data))


class Sps30OnI2c:
    """The same sensor on I2C: floats after a start with the right checksum."""

    def __init__(self, mass: tuple[float, ...] = (3.5, 7.25, 8.5, 9.5)) -> None:
        self.mass = mass
        self.running = False
        self._answer = b""

    def write(self, data: bytes) -> bool:
        """Take a command."""
        if data[:2] == b"\x00\x10":
            self.running = data[2:] == with_crc(0x0300)
            return self.running
        if data == b"\x01\x04":
            self.running = False
        elif data == b"\x02\x02":
            self._answer = with_crc(1 if self.running else 0)
        elif data == b"\x03\x00" and self.running:
            raw = struct.pack(">10f", *self.mass, 1, 2, 3, 4, 5, 0.5)
            self._answer = with_crc(*struct.unpack(">20H", raw))
        else:
            return False
        return True

    def read(self, count: int) -> bytes | None:
        """What the last command prepared."""
        answer, self._answer = self._answer, b""
        return answer if len(answer) == count else None
