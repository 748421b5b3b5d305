"""An RS-485 line with several Modbus meters: each answers to its own unit, and to nothing that comes too early."""

import struct
import time
from pathlib import Path

from simulators.hardware.line import Device, Faults
from simulators.hardware.meters import crc16


class ModbusLine(Device):
    """`meters`: registers (function 4) by unit; a unit may be taken away while it runs. `quiet_s`: the silence that
    the meters need between two frames; a request that comes earlier is not answered and counted in `early`.
    `function`: by which registers are read.
    """

    def __init__(
        self, path: Path, meters: dict[int, dict[int, int]], quiet_s: float = 0.0, faults: Faults | None = None
    ) -> None:
        super().__init__(path, faults)
        self.meters, self.quiet_s = meters, quiet_s
        self.function = 4
        self.early, self.asked = 0, dict.fromkeys(meters, 0)
        self._pending, self._spoke = b"", 0.0

    def step(self) -> None:
        """Answer what has been asked."""
        self._pending = (self._pending + self.line.receive())[-256:]
        while len(self._pending) >= 8:
            request = self._pending[:8]
            if crc16(request[:6], 0xFFFF) != int.from_bytes(request[6:], "little"):
                self._pending = self._pending[1:]
                continue
            self._pending = self._pending[8:]
            self._answer(request)

    def _answer(self, request: bytes) -> None:
        unit, function, first, count = struct.unpack(">BBHH", request[:6])
        if time.monotonic() - self._spoke < self.quiet_s:
            self.early += 1
            return
        registers = self.meters.get(unit)
        if registers is None:
            return
        self.asked[unit] = self.asked.get(unit, 0) + 1
        wanted = range(first, first + count)
        if function != self.function or not all(at in registers for at in wanted):
            body = bytes([unit, function | 0x80, 2])
        else:
            data = b"".join(registers[at].to_bytes(2, "big") for at in wanted)
            body = bytes([unit, function, len(data)]) + data
        self._spoke = time.monotonic()  # before it speaks: a busy computer may stop this thread behind the last byte
        self.line.send(body + crc16(body, 0xFFFF).to_bytes(2, "little"))


def floats(**values: float) -> dict[int, int]:
    """Registers of an Eastron meter from float32 values: `floats(x00=230.1, x48=12.5)`."""
    out: dict[int, int] = {}
    for name, value in values.items():
        high, low = struct.unpack(">HH", struct.pack(">f", value))
        out[int(name[1:], 16)], out[int(name[1:], 16) + 1] = high, low
    return out


def sdm120(volt: float, ampere: float, watt: float, kwh: float, exported: float = 0.0) -> dict[int, int]:
    """All registers that a node reads of an SDM120."""
    unused = dict.fromkeys(range(0x60), 0)
    return {**unused, **floats(x00=volt, x06=ampere, x0c=watt, x1e=0.98, x46=50.0, x48=kwh, x4a=exported)}
