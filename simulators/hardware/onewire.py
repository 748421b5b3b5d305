"""A 1-Wire bus with DS18B20 sensors: `R` reset, `S` scan, `M` + 8 bytes select, `W` + byte, `B` read a byte."""

from pathlib import Path

from simulators.hardware.line import Device


def crc8(data: bytes) -> int:
    """CRC-8/MAXIM, bit by bit from the definition."""
    crc = 0
    for byte in data:
        for bit in range(8):
            odd = (crc ^ byte >> bit) & 1
            crc = crc >> 1 ^ (0x8C if odd else 0)
    return crc


class OneWire(Device):
    """`celsius` by address (16 hexadecimal digits without its checksum byte: 14)."""

    def __init__(self, path: Path, celsius: dict[str, float] | None = None) -> None:
        super().__init__(path)
        self.celsius = celsius or {"28ff641e821604": 18.5}
        self._pending, self._chosen, self._out, self._converted = b"", b"", b"", False

    def _roms(self) -> list[bytes]:
        return [bytes.fromhex(a) + bytes([crc8(bytes.fromhex(a))]) for a in self.celsius]

    def step(self) -> None:
        """Do what the bus master does."""
        self._pending += self.line.receive()
        while self._pending:
            size = {b"M": 9, b"W": 2}.get(self._pending[:1], 1)
            if len(self._pending) < size:
                return
            command, self._pending = self._pending[:size], self._pending[size:]
            self._do(command)

    def _do(self, command: bytes) -> None:
        kind, data = command[:1], command[1:]
        if kind == b"R":
            self._out = b""
            self.line.send(b"\x01" if self.celsius else b"\x00")
        elif kind == b"S":
            roms = self._roms()
            self.line.send(bytes([len(roms)]) + b"".join(roms))
        elif kind == b"M":
            self._chosen = data
        elif kind == b"B":
            byte, self._out = self._out[:1] or b"\xff", self._out[1:]
            self.line.send(byte)
        elif data == b"\x44":
            self._converted = True
        elif data == b"\xbe" and self._chosen in self._roms():
            celsius = self.celsius[self._chosen[:7].hex()]
            raw = round(celsius * 16) & 0xFFFF if self._converted else 0x0550
            body = raw.to_bytes(2, "little") + b"\x4b\x46\x7f\xff\x0c\x10"
            self._out = body + bytes([crc8(body)])
