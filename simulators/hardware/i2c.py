"""An I2C bus on a pseudo-terminal: requests `address, write length, read length, bytes`, answers `status, bytes`."""

from pathlib import Path
from typing import Protocol

from simulators.hardware.line import Device, Faults


class Chip(Protocol):
    """A device on the bus."""

    def write(self, data: bytes) -> bool:
        """Take bytes; False refuses them (no acknowledge)."""
        ...

    def read(self, count: int) -> bytes | None:
        """Give bytes; None refuses."""
        ...


class Bus(Device):
    """The bus with its chips by address; an address may be removed and put back while it runs."""

    def __init__(self, path: Path, chips: dict[int, Chip], faults: Faults | None = None) -> None:
        super().__init__(path, faults)
        self.chips = chips
        self._pending = b""

    def step(self) -> None:
        """Answer what has been asked."""
        self._pending += self.line.receive()
        while len(self._pending) >= 3 and len(self._pending) >= 3 + self._pending[1]:
            addr, wrote, wanted = self._pending[:3]
            data, self._pending = self._pending[3 : 3 + wrote], self._pending[3 + wrote :]
            self.line.send(self._answer(addr, data, wanted))

    def _answer(self, addr: int, data: bytes, wanted: int) -> bytes:
        chip = self.chips.get(addr)
        if chip is None or (data and not chip.write(data)):
            return b"\x01"
        got = chip.read(wanted) if wanted else b""
        return b"\x01" if got is None else b"\x00" + got


class Registers:
    """A chip that is a map of byte registers with a pointer, as most small sensors are."""

    def __init__(self) -> None:
        self.memory = bytearray(256)
        self.pointer = 0

    def write(self, data: bytes) -> bool:
        """The first byte sets the pointer, further ones are stored."""
        self.pointer = data[0]
        for value in data[1:]:
            self.memory[self.pointer] = value
            self.written(self.pointer, value)
            self.pointer = (self.pointer + 1) & 255
        return True

    def read(self, count: int) -> bytes | None:
        """Bytes from the pointer on."""
        start, self.pointer = self.pointer, (self.pointer + count) & 255
        return bytes(self.memory[(start + i) & 255] for i in range(count))

    def written(self, register: int, value: int) -> None:
        """Called after each register write; models override it."""
