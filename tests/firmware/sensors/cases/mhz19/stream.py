"""MH-Z19 answers."""

from firmware.sensors import mhz19
from random_bytes import words


class Answers:
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


def frame() -> bytes:
    """A good answer."""
    body = b"\xff\x86" + words(3)
    return body + bytes(((256 - sum(body[1:]) % 256) % 256,))


def allowed(stream: bytes) -> list:
    """What a parser may find."""
    found = []
    for at in range(len(stream) - 8):
        part = stream[at : at + 9]
        if part[0] == 0xFF and part[1] == 0x86 and sum(part[1:9]) % 256 == 0:
            found.append(part[2] * 256 + part[3])
    return found


parser = Answers
