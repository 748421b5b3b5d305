"""Feeds broken byte streams to a parser. Runs on any interpreter.

    fuzz.py PARSER STREAMS

A stream is a mix of good, cut, flipped and repeated frames with noise, fed in pieces, and then three good frames.
Whatever a parser accepts must stand in the stream as a frame that passes an independent check, the third of the last
good frames must be accepted (the two before it may be lost), and nothing may be raised. Prints the totals.
"""

import random
import struct
import sys

from firmware.buses import modbus
from firmware.sensors import dsmr_p1, mhz19, openevse, pms5003, sds011, sml, sps30


def noise(most: int) -> bytes:
    """Random bytes, with those that begin frames more often than chance would have it."""
    starts = b"\x42\x4d\xaa\xc0\x7e\x7d$/!\r\n\x01\x04\x14"
    out = bytearray()
    for _ in range(random.randrange(most + 1)):
        out.append(starts[random.randrange(len(starts))] if random.randrange(3) == 0 else random.randrange(256))
    return bytes(out)


def words(count: int) -> bytes:
    """Random u16, small and large."""
    return b"".join([struct.pack(">H", random.randrange(65536) >> random.randrange(16)) for _ in range(count)])


class Pms:
    """PMS5003."""

    parser = pms5003.frames

    @staticmethod
    def frame() -> bytes:
        """A good frame."""
        body = b"BM\x00\x1c" + words(13)
        return body + struct.pack(">H", sum(body))

    @staticmethod
    def allowed(stream: bytes) -> list:
        """What a parser may find."""
        found = []
        for at in range(len(stream) - 31):
            part = stream[at : at + 32]
            if part[0] == 0x42 and part[1] == 0x4D and part[2] * 256 + part[3] == 28:
                total = 0
                for byte in part[:30]:
                    total += byte
                if total == part[30] * 256 + part[31]:
                    found.append(part)
        return found


class Sds:
    """SDS011."""

    parser = sds011.frames

    @staticmethod
    def frame() -> bytes:
        """A good frame."""
        body = words(3)
        return b"\xaa\xc0" + body + bytes((sum(body) % 256, 0xAB))

    @staticmethod
    def allowed(stream: bytes) -> list:
        """What a parser may find."""
        found = []
        for at in range(len(stream) - 9):
            p = stream[at : at + 10]
            if (
                p[0] == 0xAA
                and p[1] == 0xC0
                and p[9] == 0xAB
                and (p[2] + p[3] + p[4] + p[5] + p[6] + p[7]) % 256 == p[8]
            ):
                found.append(p)
        return found


class Sps:
    """SPS30 measurement answers."""

    parser = sps30.Parser

    @staticmethod
    def frame() -> bytes:
        """A good frame."""
        return sps30.stuffed(b"\x00\x03\x00\x28" + words(20))

    @staticmethod
    def allowed(stream: bytes) -> list:
        """What a parser may find."""
        found = []
        for piece in stream.split(b"\x7e"):
            part = piece
            escaped = any(
                part[i] == 0x7D and part[i + 1 : i + 2] not in (b"^", b"]", b"1", b"3") for i in range(len(part))
            )
            if escaped:
                continue
            for code, byte in ((b"\x7d^", b"\x7e"), (b"\x7d1", b"\x11"), (b"\x7d3", b"\x13"), (b"\x7d]", b"\x7d")):
                part = part.replace(code, byte)
            if len(part) > 4 and part[0] == 0 and part[3] == len(part) - 5 and sum(part[:-1]) % 256 + part[-1] == 255:
                found.append((part[1], part[2], part[4:-1]))
        return found


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


class Modbus:
    """Modbus answers of ten registers."""

    parser = ModbusStream

    @staticmethod
    def crc(data: bytes) -> int:
        """Bit by bit, from the definition."""
        crc = 0xFFFF
        for byte in data:
            for bit in range(8):
                odd = (crc ^ byte >> bit) & 1
                crc = crc >> 1 ^ (0xA001 if odd else 0)
        return crc

    @classmethod
    def frame(cls) -> bytes:
        """A good frame."""
        body = b"\x01\x04\x14" + words(10)
        return body + struct.pack("<H", cls.crc(body))

    @classmethod
    def allowed(cls, stream: bytes) -> list:
        """What a parser may find: register bytes, or the code of an exception."""
        found = []
        for at in range(len(stream) - 4):
            part = stream[at : at + 25]
            if part[:3] == b"\x01\x04\x14" and len(part) == 25 and cls.crc(part[:23]) == part[23] + 256 * part[24]:
                found.append(part[3:23])
            if part[:2] == b"\x01\x84" and cls.crc(part[:3]) == part[3] + 256 * part[4]:
                found.append(part[2])
        return found


class Rapi:
    """OpenEVSE lines."""

    parser = openevse.Parser

    @staticmethod
    def frame() -> bytes:
        """A good line."""
        text = b"$OK %d %d" % (random.randrange(100000), random.randrange(1000))
        check = 0
        for byte in text:
            check ^= byte
        return text + b"^%02X\r" % check

    @staticmethod
    def allowed(stream: bytes) -> list:
        """What a parser may find."""
        found = []
        for piece in stream.split(b"\r"):
            part = piece[piece.rfind(b"$") :] if b"$" in piece else b""
            check = 0
            for byte in part[:-3]:
                check ^= byte
            try:
                if part[-3:-2] == b"^" and int(part[-2:], 16) == check:
                    found.append(part[1:-3].decode().split())
            except (ValueError, UnicodeError):
                pass
        return found


class P1:
    """DSMR telegrams."""

    parser = dsmr_p1.Parser

    @staticmethod
    def crc(data: bytes) -> int:
        """CRC-16/ARC, bit by bit."""
        crc = 0
        for byte in data:
            for bit in range(8):
                odd = (crc ^ byte >> bit) & 1
                crc = crc >> 1 ^ (0xA001 if odd else 0)
        return crc

    @classmethod
    def frame(cls) -> bytes:
        """A good telegram."""
        lines = (random.randrange(1000000), random.randrange(1000), random.randrange(99))
        text = b"/CVT5M\r\n\r\n1-0:1.8.1(%06d.%03d*kWh)\r\n1-0:1.7.0(00.0%02d*kW)\r\n!" % lines
        return text + b"%04X\r\n" % cls.crc(text)

    @classmethod
    def allowed(cls, stream: bytes) -> list:
        """What a parser may find: each telegram that passes, read with a parser of its own."""
        found = []
        for part in stream.split(b"/")[1:]:
            text, mark, check = (b"/" + part).partition(b"\n!")
            check = check[: check.find(b"\n")].strip()
            try:
                if mark and len(check) == 4 and int(check, 16) == cls.crc(text + mark):
                    found += dsmr_p1.Parser().feed(text + mark + check + b"\n")
            except ValueError:
                pass
        return found


class Mhz:
    """MH-Z19 answers."""

    class parser:  # noqa: N801 - as the others, without a class of its own on the node
        """All answers, where the driver wants the first."""

        def __init__(self) -> None:
            self._buf = b""

        def feed(self, data: bytes) -> list:
            """As the other parsers."""
            self._buf, out = self._buf + data, []
            one = mhz19.Parser()
            found = one.feed(self._buf)
            while found is not None:
                out.append(found)
                one, rest = mhz19.Parser(), one._buf
                self._buf = rest
                found = one.feed(rest)
            return out

    @staticmethod
    def frame() -> bytes:
        """A good answer."""
        body = b"\xff\x86" + words(3)
        return body + bytes(((256 - sum(body[1:]) % 256) % 256,))

    @staticmethod
    def allowed(stream: bytes) -> list:
        """What a parser may find."""
        found = []
        for at in range(len(stream) - 8):
            part = stream[at : at + 9]
            if part[0] == 0xFF and part[1] == 0x86 and sum(part[1:9]) % 256 == 0:
                found.append(part[2] * 256 + part[3])
        return found


class Sml:
    """SML files with one value."""

    parser = sml.Parser

    @staticmethod
    def crc(data: bytes) -> int:
        """CRC-16/X.25, bit by bit."""
        crc = 0xFFFF
        for byte in data:
            for bit in range(8):
                odd = (crc ^ byte >> bit) & 1
                crc = crc >> 1 ^ (0x8408 if odd else 0)
        return crc ^ 0xFFFF

    @classmethod
    def frame(cls) -> bytes:
        """A good file."""
        body = b"\x77\x07\x01\x00\x01\x08\x00\xff" + words(8).replace(b"\x1b", b"\x1c")
        whole = b"\x1b" * 4 + b"\x01" * 4 + body + b"\x1b" * 4 + b"\x1a\x00"
        crc = cls.crc(whole)
        return whole + bytes((crc & 255, crc >> 8))

    @classmethod
    def allowed(cls, stream: bytes) -> list:
        """What a parser may find."""
        found = []
        start = stream.find(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01")
        while start >= 0:
            end = stream.find(b"\x1b\x1b\x1b\x1b\x1a", start + 8)
            if end > 0 and len(stream) >= end + 8:
                crc = stream[end + 6] + stream[end + 7] * 256
                if crc == cls.crc(stream[start : end + 6]):
                    found.append(stream[start + 8 : end])
            start = stream.find(b"\x1b\x1b\x1b\x1b\x01\x01\x01\x01", start + 1)
        return found


def broken(frame: bytes) -> bytes:
    """A frame with something wrong."""
    at = random.randrange(len(frame))
    kind = random.randrange(4)
    if kind == 0:
        return frame[:at]
    if kind == 1:
        return frame[at:]
    if kind == 2:
        return frame[:at] + bytes((frame[at] ^ 1 << random.randrange(8),)) + frame[at + 1 :]
    return frame[:at] + noise(3) + frame[at:]


def stream(kind: type) -> bytes:
    """Noise, broken and good frames in any order."""
    out = b""
    for _ in range(random.randrange(1, 5)):
        choice = random.randrange(3)
        out += noise(40) if choice == 0 else kind.frame() if choice == 1 else broken(kind.frame())
    return out


def feed(parser: object, data: bytes) -> list:
    """Feed in pieces, as a UART delivers."""
    out, at = [], 0
    while at < len(data):
        step = random.randrange(1, 40)
        out += parser.feed(data[at : at + step])  # pyright: ignore (every parser feeds)
        at += step
    return out


def main(name: str, count: int) -> None:
    """Run and print `streams accepted false-accepts lost-the-third`."""
    kind = {
        "pms5003": Pms,
        "sds011": Sds,
        "sps30": Sps,
        "modbus": Modbus,
        "openevse": Rapi,
        "dsmr_p1": P1,
        "mhz19": Mhz,
        "sml": Sml,
    }[name]
    accepted = false = lost = 0
    for seed in range(count):
        random.seed(seed + 1)
        data = stream(kind)
        last = [kind.frame() for _ in range(3)]
        got = feed(kind.parser(), data + b"".join(last))
        allowed = kind.allowed(data + b"".join(last))
        accepted += len(got)
        false += len([value for value in got if value not in allowed])
        lost += not got or got[-1] != kind.allowed(last[2])[-1]
    print(count, accepted, false, lost)


main(sys.argv[1], int(sys.argv[2]))
