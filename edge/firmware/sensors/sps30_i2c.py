"""Sensirion SPS30 particle sensor on I2C: ten big-endian float32 in words with a checksum each."""

from ..buses.modbus import scaled
from ..buses.running import Running
from ..buses.sensirion import words

KIND = "air"
PART = "Sensirion SPS30 (I2C)"
BUS = "i2c"
QUANTITIES = ("pm1", "pm2_5", "pm4", "pm10")
OPTIONS = {"address": 0x69, "sleep": True, "sample_s": 1}
WIRING = "5 V supply; SEL to ground selects I2C; SDA, SCL with 10 kohm to 3.3 V"
PARTS = ("Sensirion SPS30", "cable with a ZHR-5 plug", "2 x 10 kohm")


def values(answer):
    """Turn the 60 bytes of a measurement into readings; OSError when a checksum is wrong, NaN is left out."""
    raw = b"".join([bytes((word >> 8, word & 255)) for word in words(answer)])
    found = [(name, scaled(raw[4 * n : 4 * n + 4], 2), 2) for n, name in enumerate(QUANTITIES)]
    return [value for value in found if value[1] is not None]


class Driver(Running):
    """Options: `bus`, `address`, `sleep` false to keep it running, `sample_s`."""

    SAMPLE_S = 1
    START, STOP, READ = b"\x00\x10\x03\x00\xac", b"\x01\x04", b"\x03\x00"
    SIZE = 60

    def __init__(self, board, options):
        super().__init__(board, options, values)
