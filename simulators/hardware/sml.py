"""A German meter that sends SML files over its optical interface."""

from pathlib import Path

from simulators.hardware.line import Device, Faults


def crc16(data: bytes) -> int:
    """CRC-16/X.25, bit by bit from the definition."""
    crc = 0xFFFF
    for byte in data:
        for bit in range(8):
            odd = (crc ^ byte >> bit) & 1
            crc = crc >> 1 ^ (0x8408 if odd else 0)
    return crc ^ 0xFFFF


def entry(code: str, unit: int, scaler: int, value: int, size: int = 8) -> bytes:
    """One value of the list: name, status, time, unit, scaler, value, signature."""
    name = bytes([1, 0, *map(int, code.split(".")), 255])
    kind = 0x50 if value < 0 else 0x60
    return (
        b"\x77\x07" + name + b"\x01\x01" + bytes([0x62, unit, 0x52, scaler & 255])
        + bytes([kind | size + 1]) + value.to_bytes(size, "big", signed=value < 0) + b"\x01"
    )  # fmt: skip


def file(entries: list[bytes]) -> bytes:
    """A whole file around a list of values, filled up to four bytes, with its checksum."""
    body = b"\x76\x05\x00\x00\x00\x01\x62\x00\x62\x00\x72\x63\x07\x01\x77\x01\x0b" + bytes(10) + b"\x01\x01"
    body += bytes([0x70 | len(entries)]) + b"".join(entries) + b"\x01\x01\x01\x63\x00\x00\x00"
    fill = -len(body) % 4
    whole = b"\x1b" * 4 + b"\x01" * 4 + body + bytes(fill) + b"\x1b" * 4 + b"\x1a" + bytes([fill])
    return whole + crc16(whole).to_bytes(2, "little")


class SmlMeter(Device):
    """Sends its registers every `period_s`: tenths of a Wh, W (negative: feeds in), tenths of a V."""

    def __init__(self, path: Path, period_s: float = 0.2, faults: Faults | None = None) -> None:
        super().__init__(path, faults)
        self.energy, self.exported, self.power, self.volt = 123_456_789, 5000, -1234, 2301
        self.period_s = period_s

    def step(self) -> None:
        """Send a file and wait for the next."""
        entries = [
            entry("1.8.0", 30, -1, self.energy), entry("2.8.0", 30, -1, self.exported),
            entry("16.7.0", 27, 0, self.power, 4), entry("32.7.0", 35, -1, self.volt, 2),
        ]  # fmt: skip
        self.line.send(file(entries))
        self.rest(self.period_s)
