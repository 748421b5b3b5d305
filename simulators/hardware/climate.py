"""I2C chips that take commands or registers: Sensirion SHT4x and SCD41, and an ADS1115 converter."""

from dataclasses import dataclass, field


def with_crc(*words: int) -> bytes:
    """Words as Sensirion sends them, each with its CRC-8."""
    out = b""
    for word in words:
        crc = 0xFF
        for byte in word.to_bytes(2, "big"):
            crc ^= byte
            for _ in range(8):
                crc = (crc << 1 ^ 0x31) & 0xFF if crc & 0x80 else crc << 1
        out += word.to_bytes(2, "big") + bytes([crc])
    return out


@dataclass
class Sht4x:
    """Answers a measurement command with temperature and humidity."""

    celsius: float = 25.0
    percent: float = 40.0
    corrupt: bool = False
    _answer: bytes = b""

    def write(self, data: bytes) -> bool:
        """Measure on FD, F6 and E0."""
        if data[0] not in (0xFD, 0xF6, 0xE0):
            return False
        raw = round((self.celsius + 45) * 65535 / 175), round((self.percent + 6) * 65535 / 125)
        self._answer = with_crc(*raw)
        return True

    def read(self, count: int) -> bytes | None:
        """The measurement, once."""
        answer, self._answer = self._answer, b""
        if self.corrupt and answer:
            answer = bytes([answer[0] ^ 1]) + answer[1:]
        return answer if len(answer) == count else None


@dataclass
class Scd41:
    """Measures after it has been started; refuses to start twice, as the real one does."""

    ppm: int = 612
    celsius: float = 22.0
    percent: float = 50.0
    running: bool = False
    ready: bool = True
    _answer: bytes = b""

    def write(self, data: bytes) -> bool:
        """Take a 16-bit command."""
        command = int.from_bytes(data[:2], "big")
        if command == 0x21B1:
            if self.running:
                return False
            self.running = True
        elif command == 0x3F86:
            self.running = False
        elif command == 0xE4B8:
            self._answer = with_crc(0x8006 if self.running and self.ready else 0x8000)
        elif command == 0xEC05 and self.running:
            raw = round((self.celsius + 45) * 65535 / 175), round(self.percent * 65535 / 100)
            self._answer = with_crc(self.ppm, *raw)
        else:
            return False
        return True

    def read(self, count: int) -> bytes | None:
        """What the last command prepared."""
        answer, self._answer = self._answer, b""
        return answer if len(answer) == count else None


@dataclass
class Ads1115:
    """Converts the `microvolt` of its four inputs, single shot, +-4.096 V."""

    microvolt: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    _registers: list[int] = field(default_factory=lambda: [0, 0x8583])
    _pointer: int = 0

    def write(self, data: bytes) -> bool:
        """Set the pointer, and a register when there is more."""
        self._pointer = data[0] & 1
        if len(data) == 3:
            word = int.from_bytes(data[1:], "big")
            self._registers[1] = word | 0x8000  # done at once
            self._registers[0] = self.microvolt[(word >> 12 & 7) - 4] // 125 & 0xFFFF
        return True

    def read(self, count: int) -> bytes | None:
        """The register the pointer is on."""
        return self._registers[self._pointer].to_bytes(2, "big")[:count]
