"""A Microchip ATM90E32 on SPI (four bytes an access, mode 3): registers behind a lock, the last value repeated."""

from pathlib import Path

from simulators.hardware.line import Device, Faults

_CONFIGURATION = range(0x31, 0x6F)


class Atm90e32(Device):
    """`volts`, `amperes`, `watts` by phase; `spoil` changes one bit of the next answers."""

    def __init__(self, path: Path, faults: Faults | None = None) -> None:
        super().__init__(path, faults)
        self.volts, self.amperes, self.watts = [230.12, 229.5, 231.0], [4.25, 0.5, 12.0], [950.4, -110.08, 2700.8]
        self.hertz, self.factor = 49.98, 0.973
        self.registers = dict.fromkeys(range(0x100), 0)
        self.spoil = False
        self._last = 0
        self._pending = b""

    def step(self) -> None:
        """Answer what has been clocked in."""
        self._pending += self.line.receive()
        while len(self._pending) >= 4:
            word, self._pending = self._pending[:4], self._pending[4:]
            address = int.from_bytes(word[:2], "big")
            if address & 0x8000:
                answer = self._read(address & 0x3FF)
            else:
                answer = self._write(address & 0x3FF, int.from_bytes(word[2:], "big"))
            self.line.send(b"\xff\xff" + answer.to_bytes(2, "big"))

    def _write(self, address: int, value: int) -> int:
        if address == 0x70 and value == 0x789A:
            self.registers = dict.fromkeys(self.registers, 0)
        elif address not in _CONFIGURATION or self.registers[0x7F] == 0x55AA:
            self.registers[address] = value
        self._last = value
        return 0xFFFF

    def _read(self, address: int) -> int:
        if address == 0x78:
            return self._last
        self._last = value = self._measured(address) & 0xFFFF
        return value ^ 1 if self.spoil else value

    def _measured(self, address: int) -> int:
        if address < 0xB0 or not self.registers[0x00]:
            return self.registers[address]
        phase, watts = (address & 3) - 1, [round(w / 0.00032) for w in self.watts]
        if phase < 0:
            return {0xBC: round(self.factor * 1000), 0xF8: round(self.hertz * 100)}.get(address, 0)
        by_phase = {
            0xB0: watts[phase] >> 16,
            0xC0: watts[phase],
            0xD8: round(self.volts[phase] * 100),
            0xDC: round(self.amperes[phase] * 1000),
        }
        return by_phase.get(address & 0xFC, 0)
