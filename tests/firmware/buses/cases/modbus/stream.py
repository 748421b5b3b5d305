"""Modbus answers of ten registers."""

import struct

from crc_by_bits import crc16
from firmware.buses import modbus
from random_bytes import words


class ModbusStream:
    """Answers to the same question again and again."""

    def __init__(self) -> None:
        self.answer = modbus.Answer(1, 4, 10)

    def feed(self, data: bytes) -> list:
        """As the other parsers."""
        out = []
        try:
            got = self.answer.feed(data)
            while got is not None:
                out.append(got)
                at = self.answer._buf.find(got) + len(got) + 2
                rest, self.answer = self.answer._buf[at:], modbus.Answer(1, 4, 10)
                got = self.answer.feed(rest)
        except OSError as err:
            out.append(err.args[0])
            self.answer = modbus.Answer(1, 4, 10)
        return out


def frame() -> bytes:
    """A good frame."""
    body = b"\x01\x04\x14" + words(10)
    return body + struct.pack("<H", crc16(body, 0xA001))


def allowed(stream: bytes) -> list:
    """What a parser may find: register bytes, or the code of an exception."""
    found = []
    for at in range(len(stream) - 4):
        part = stream[at : at + 25]
        if part[:3] == b"\x01\x04\x14" and len(part) == 25 and crc16(part[:23], 0xA001) == part[23] + 256 * part[24]:
            found.append(part[3:23])
        if part[:2] == b"\x01\x84" and crc16(part[:3], 0xA001) == part[3] + 256 * part[4]:
            found.append(part[2])
    return found


parser = ModbusStream
