"""Encrypted meter telegrams (DLMS general-glo-ciphering, AES-128-GCM), as Luxembourg and Austria send them.

Frame: DB, length and system title, length, security byte, frame counter u32, ciphertext, 12-byte tag. The key comes
from the grid operator. Where its authentication key is known too, the tag is checked; the CRC inside is checked in any
case.
"""

from binascii import unhexlify

from cryptolib import aes
from micropython import const

_FRAME_MAX = const(4096)
_ECB = const(1)
_TAG = const(12)


def _length(data, at):
    """A DLMS length: (value, where it ends); None while it is not complete."""
    if at >= len(data):
        return None
    first = data[at]
    if first < 0x80:
        return first, at + 1
    end = at + 1 + (first & 0x7F)
    return (int.from_bytes(data[at + 1 : end], "big"), end) if end <= len(data) else None


def _times_h(x, h):
    """Multiply in GF(2^128) as GCM does, most significant bit first."""
    z = 0
    for shift in range(127, -1, -1):
        if x >> shift & 1:
            z ^= h
        h = h >> 1 ^ (0xE1 << 120) if h & 1 else h >> 1
    return z


class Frames:
    """Finds frames in a byte stream and decrypts them."""

    def __init__(self, key, auth_key=""):
        self._cipher = aes(unhexlify(key), _ECB)
        self._auth = unhexlify(auth_key)
        self._buf = b""

    async def feed(self, board, data):
        """Return the plain bytes of the frames completed by `data`."""
        self._buf = (self._buf + data)[-_FRAME_MAX:]
        out = b""
        while True:
            frame = self._next()
            if frame is None:
                return out
            out += await self.plain(board, *frame) or b""

    def _next(self):
        """(nonce, security byte, ciphertext, tag) of the first whole frame."""
        while True:
            at = self._buf.find(b"\xdb\x08")
            if at < 0:
                self._buf = self._buf[-1:]
                return None
            self._buf = buf = self._buf[at:]
            found = _length(buf, 10)
            if found is None:
                return None
            size, body = found
            if not 17 < size < _FRAME_MAX:
                self._buf = buf[1:]
                continue
            if len(buf) < body + size:
                return None
            self._buf = buf[body + size :]
            counter, content = buf[body + 1 : body + 5], buf[body + 5 : body + size]
            if not buf[body] & 0x10:
                return buf[2:10] + counter, buf[body], content, b""  # encrypted, not authenticated
            return buf[2:10] + counter, buf[body], content[:-_TAG], content[-_TAG:]

    async def plain(self, board, nonce, security, content, tag):
        """Decrypt; None when the tag is checked and wrong."""
        if self._auth and tag and tag != await self._tag(board, nonce, bytes((security,)) + self._auth, content):
            return None
        out = bytearray()
        for at in range(0, len(content), 16):
            stream = self._cipher.encrypt(nonce + (2 + at // 16).to_bytes(4, "big"))
            out += bytes([a ^ b for a, b in zip(content[at : at + 16], stream)])  # noqa: B905
        return bytes(out)

    async def _tag(self, board, nonce, extra, content):
        h = int.from_bytes(self._cipher.encrypt(bytes(16)), "big")
        y = 0
        for part in (extra, content):
            for at in range(0, len(part), 16):
                block = part[at : at + 16]
                y = _times_h(y ^ int.from_bytes(block + bytes(16 - len(block)), "big"), h)
                if at % 256 == 0:
                    await board.sleep_ms(0)  # 16 blocks take a board some 100 ms
        y = _times_h(y ^ (len(extra) * 8 << 64 | len(content) * 8), h)
        mask = self._cipher.encrypt(nonce + b"\0\0\0\1")
        return bytes([a ^ b for a, b in zip(y.to_bytes(16, "big"), mask)])[:_TAG]  # noqa: B905
