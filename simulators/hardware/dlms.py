"""A smart meter that pushes DLMS every second, in HDLC or in (encrypted) M-Bus frames."""

import struct
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from simulators.hardware.line import Device, Faults

# Units as in IEC 62056-62.
W, WH, A, V = 27, 30, 33, 35
VALUES: dict[str, tuple[int, int, int]] = {  # by C.D.E: number, power of ten, unit
    "1.7.0": (450, 0, W), "2.7.0": (0, 0, W), "1.8.0": (2345678, 0, WH), "2.8.0": (1500, 0, WH),
    "32.7.0": (2314, -1, V), "52.7.0": (2301, -1, V), "31.7.0": (195, -2, A),
}  # fmt: skip


def x25(data: bytes) -> int:
    """CRC-16/X-25, by the polynomial in its unreflected form."""
    crc = 0xFFFF
    for byte in data:
        for bit in range(8):
            top = (crc >> 15) ^ (byte >> bit & 1)
            crc = (crc << 1 ^ (0x1021 if top else 0)) & 0xFFFF
    return int(f"{crc ^ 0xFFFF:016b}"[::-1], 2)


def push(values: dict[str, tuple[int, int, int]]) -> bytes:
    """A data notification: a structure of codes, each with its number and (power, unit)."""
    out = bytes([0x0F, 0x40, 0, 0, 0, 0, 0x02, 3 * len(values)])
    for code, (number, power, unit) in values.items():
        c, d, e = map(int, code.split("."))
        out += bytes([9, 6, 1, 0, c, d, e, 255]) + b"\x06" + number.to_bytes(4, "big")
        out += b"\x02\x02\x0f" + struct.pack("b", power) + bytes([0x16, unit])
    return out


def hdlc(message: bytes) -> bytes:
    """One frame, from client 1 to server 1."""
    body = b"\xe6\xe7\x00" + message
    head = struct.pack(">H", 0xA000 | len(body) + 9) + b"\x03\x03\x13"
    head += x25(head).to_bytes(2, "little")
    return b"\x7e" + head + body + x25(head + body).to_bytes(2, "little") + b"\x7e"


def mbus(message: bytes) -> bytes:
    """Long frames of at most 250 bytes each."""
    out = b""
    for at in range(0, len(message), 245):
        body = b"\x53\xff" + bytes([at // 245, 0x01, 0x67]) + message[at : at + 245]
        out += bytes([0x68, len(body), len(body), 0x68]) + body + bytes([sum(body) & 255, 0x16])
    return out


def ciphered(message: bytes, key: bytes, auth: bytes = b"") -> bytes:
    """General-glo-ciphering: authenticated where there is an authentication key, else only encrypted."""
    title, counter, control = b"CVMETER1", b"\0\0\0\x07", b"\x30" if auth else b"\x20"
    sealed = AESGCM(key).encrypt(title + counter, message, control + auth if auth else None)
    content = control + counter + (sealed[:-4] if auth else sealed[:-16])
    return b"\xdb\x08" + title + b"\x82" + len(content).to_bytes(2, "big") + content


class DlmsMeter(Device):
    """Pushes `frames` again and again."""

    def __init__(self, path: Path, frames: bytes = b"", faults: Faults | None = None) -> None:
        super().__init__(path, faults)
        self.frames = frames or hdlc(push(VALUES))

    def step(self) -> None:
        """Push, then be silent."""
        self.line.send(self.frames)
        self.rest(0.9)
