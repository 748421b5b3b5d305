"""DSMR telegrams."""

import random

from crc_by_bits import crc16
from firmware.sensors import dsmr_p1

parser = dsmr_p1.Parser


def frame() -> bytes:
    """A good telegram."""
    lines = (random.randrange(1000000), random.randrange(1000), random.randrange(99))
    text = b"/CVT5M\r\n\r\n1-0:1.8.1(%06d.%03d*kWh)\r\n1-0:1.7.0(00.0%02d*kW)\r\n!" % lines
    return text + b"%04X\r\n" % crc16(text, 0xA001, 0)


def allowed(stream: bytes) -> list:
    """What a parser may find: each telegram that passes, read with a parser of its own."""
    found = []
    for part in stream.split(b"/")[1:]:
        text, mark, check = (b"/" + part).partition(b"\n!")
        check = check[: check.find(b"\n")].strip()
        try:
            if mark and len(check) == 4 and int(check, 16) == crc16(text + mark, 0xA001, 0):
                found += dsmr_p1.Parser().feed(text + mark + check + b"\n")
        except ValueError:
            pass
    return found
