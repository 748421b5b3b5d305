"""Sensirion SEN55 and SCD30 on I2C, and a Winsen MH-Z19 on a serial line."""

import struct
from dataclasses import dataclass
from pathlib import Path

from simulators.hardware.climate import with_crc
from simulators.hardware.line import Device, Faults


@dataclass
class Sen55:
    """Answers after it was started; `words` are what it shows."""

    words: tuple[int, ...] = (35, 72, 80, 95, 4512, 4300, 1005, 0x7FFF)
    running: bool = False
    _answer: bytes = b""

    def write(self, data: bytes) -> bool:
        """Take a command."""
        command = int.from_bytes(data[:2], "big")
        if command in (0x0021, 0x0104):
            self.running = command == 0x0021
        elif command == 0x0202:
            self._answer = with_crc(1 if self.running else 0)
        elif command == 0x03C4 and self.running:
            self._answer = with_crc(*self.words)
        else:
            return False
        return True

    def read(self, count: int) -> bytes | None:
        """What the last command prepared."""
        answer, self._answer = self._answer, b""
        return answer if len(answer) == count else None


@dataclass
class Scd30:
    """Measures once it was started with a right checksum."""

    ppm: float = 843.4
    celsius: float = 21.25
    percent: float = 47.5
    running: bool = False
    _answer: bytes = b""

    def write(self, data: bytes) -> bool:
        """Take a command; arguments must have their CRC."""
        command = int.from_bytes(data[:2], "big")
        if len(data) == 5 and with_crc(int.from_bytes(data[2:4], "big")) != data[2:]:
            return False
        if command == 0x0010 and len(data) == 5:
            self.running = True
        elif command == 0x0202:
            self._answer = with_crc(1 if self.running else 0)
        elif command == 0x0300 and self.running:
            raw = struct.pack(">3f", self.ppm, self.celsius, self.percent)
            self._answer = with_crc(*struct.unpack(">6H", raw))
        elif command != 0x4600:
            return False
        return True

    def read(self, count: int) -> bytes | None:
        """What the last command prepared."""
        answer, self._answer = self._answer, b""
        return answer if len(answer) == count else None


class Mhz19(Device):
    """Answers the command 86 when its checksum is right."""

    def __init__(self, path: Path, ppm: int = 655, faults: Faults | None = None) -> None:
        super().__init__(path, faults)
        self.ppm = ppm
        self._pending = b""

    def step(self) -> None:
        """Answer what has been asked."""
        self._pending = (self._pending + self.line.receive())[-64:]
        at = self._pending.find(b"\xff\x01")
        if at < 0 or len(self._pending) < at + 9:
            return
        asked, self._pending = self._pending[at : at + 9], self._pending[at + 9 :]
        if (256 - sum(asked[1:8]) % 256) % 256 == asked[8] and asked[2] == 0x86:
            body = bytes([0xFF, 0x86]) + self.ppm.to_bytes(2, "big") + bytes([60, 0, 0, 0])
            self.line.send(body + bytes([(256 - sum(body[1:]) % 256) % 256]))


@dataclass
class Sgp41:
    """Refuses to measure before it was conditioned, and arguments without their CRC; `given` is what it corrects by."""

    voc: int = 30100
    nox: int = 15900
    conditioned: int = 0
    given: bytes = b""
    _answer: bytes = b""

    def write(self, data: bytes) -> bool:
        """Take a command with humidity and temperature."""
        command, pairs = data[:2], [data[at : at + 3] for at in range(2, len(data), 3)]
        if any(with_crc(int.from_bytes(pair[:2], "big")) != pair for pair in pairs) or len(pairs) != 2:
            return False
        self.given = data[2:]
        if command == b"\x26\x12":
            self.conditioned += 1
            self._answer = with_crc(self.voc)
        elif command == b"\x26\x19" and self.conditioned:
            self._answer = with_crc(self.voc, self.nox)
        else:
            return False
        return True

    def read(self, count: int) -> bytes | None:
        """What the last command prepared."""
        answer, self._answer = self._answer, b""
        return answer if len(answer) == count else None
