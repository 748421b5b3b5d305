"""One node record as bytes: who took it, when, and the scaled integers it holds.

A value is `(quantity, mantissa, decimals)`: 23.4 V is `("voltage", 234, 1)`. Integers keep counters exact where
the board's floats have 24 bits. `up` and `time` are in tenths of a second; `time` is 0 when the clock was not
synchronised at the moment of the reading.
"""

import struct

from micropython import const

from .quantities import code, name_and_unit

READINGS = const(0)
SESSION = const(1)

_HEAD = const("<BBBIIII")  # kind, resets since the line began, tenth of the time, boot, seq, uptime, seconds
_HEAD_LEN = const(19)


class Record:
    """A decoded record; `line` is the boot in which the uptime it counts in began."""

    def __init__(self, kind, line, boot, seq, up, time, values, key="", duration=0):
        self.kind = kind
        self.line = line
        self.boot = boot
        self.seq = seq
        self.up = up
        self.time = time
        self.values = values
        self.key = key
        self.duration = duration


def _put_varint(out, value):
    """Zigzag, then seven bits a byte: small magnitudes of either sign stay short."""
    value = value * 2 if value >= 0 else -value * 2 - 1
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def _get_varint(buf, pos):
    value = shift = 0
    while True:
        byte = buf[pos]
        pos += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return (value >> 1) ^ -(value & 1), pos


def encode(rec):
    """Return the bytes of a record, ready for the ring."""
    out = bytearray(
        struct.pack(_HEAD, rec.kind, rec.boot - rec.line, rec.time % 10, rec.boot, rec.seq, rec.up, rec.time // 10)
    )
    if rec.kind == SESSION:
        key = rec.key.encode()
        _put_varint(out, rec.duration)
        out.append(len(key))
        out += key
    for name, mantissa, decimals in rec.values:
        out.append(code(name))
        out.append(decimals)
        _put_varint(out, mantissa)
    return bytes(out)


def identity(buf):
    """Return (boot, seq) of an encoded record without decoding its values."""
    _, _, _, boot, seq, _, _ = struct.unpack_from(_HEAD, buf)
    return boot, seq


def uptime(buf):
    """Return (line, uptime) of an encoded record."""
    _, resets, _, boot, _, up, _ = struct.unpack_from(_HEAD, buf)
    return boot - resets, up


def _session_head(buf, pos):
    duration, pos = _get_varint(buf, pos)
    end = pos + 1 + buf[pos]
    return duration, bytes(buf[pos + 1 : end]).decode(), end


def decode(buf):
    """Return the Record held in `buf`; IndexError or ValueError when it is not one."""
    kind, resets, tenth, boot, seq, up, time = struct.unpack_from(_HEAD, buf)
    pos, key, duration, values = _HEAD_LEN, "", 0, []
    if kind == SESSION:
        duration, key, pos = _session_head(buf, pos)
    while pos < len(buf):
        name, decimals = name_and_unit(buf[pos])[0], buf[pos + 1]
        mantissa, pos = _get_varint(buf, pos + 2)
        values.append((name, mantissa, decimals))
    return Record(kind, boot - resets, boot, seq, up, time * 10 + tenth, values, key, duration)
