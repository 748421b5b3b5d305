"""Sensirion SEN50, SEN54, SEN55 on I2C: particles, and humidity, temperature, VOC and NOx index by model.

A word FFFF (particles) or 7FFF (others) means no value. Fan and laser run all the time between `wake` and `sleep`.
"""

from ..buses.running import Running
from ..buses.sensirion import words

KIND = "air"
PART = "Sensirion SEN50, SEN54, SEN55"
BUS = "i2c"
QUANTITIES = ("pm1", "pm2_5", "pm4", "pm10", "humidity", "temperature", "voc_index", "nox_index")
OPTIONS = {"address": 0x69, "sleep": False, "sample_s": 5}
WIRING = "5 V supply, SDA and SCL with 10 kohm to 3.3 V, SEL to ground"
PARTS = ("SEN5x with its cable", "2 x 10 kohm")

# name, divisor as (mantissa factor, decimals), signed
_FIELDS = (
    ("pm1", 1, 1, False), ("pm2_5", 1, 1, False), ("pm4", 1, 1, False), ("pm10", 1, 1, False),
    ("humidity", 1, 2, True), ("temperature", 5, 3, True), ("voc_index", 1, 1, True), ("nox_index", 1, 1, True),
)  # fmt: skip


def values(answer):
    """Turn the 24 bytes of a measurement into readings; OSError when a checksum is wrong."""
    out = []
    for raw, (name, factor, decimals, signed) in zip(words(answer), _FIELDS):  # noqa: B905
        if raw == (0x7FFF if signed else 0xFFFF):
            continue
        value = raw - 65536 if signed and raw & 0x8000 else raw
        out.append((name, value * factor, decimals))
    return out


class Driver(Running):
    """Options: `bus`, `address`, `sample_s`, `sleep` true to switch fan and laser off between measurements."""

    SAMPLE_S = 5
    START, STOP, READ = b"\x00\x21", b"\x01\x04", b"\x03\xc4"
    STARTED_MS, ANSWER_MS, SIZE = 50, 20, 24

    def __init__(self, board, options):
        super().__init__(board, options, values)
        if not options.get("sleep", False):
            self.LEAD_S = 0  # its indices need to run all the time
