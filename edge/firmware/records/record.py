"""One node record as bytes: who took it, when, and the scaled integers it holds.

A value is `(quantity, mantissa, decimals)`: 23.4 V is `("voltage", 234, 1)`. Integers keep counters exact where
the board's floats have 24 bits. A mean has `n, min, max` behind it, the latter two with one decimal less. A quantity of
one of several meters has its channel in front: `flat-3/voltage`. `up` and `time` are in tenths of a second; `time` is 0
when the clock was not synchronised at the moment of the reading.
"""

import struct

from micropython import const

from ..quantities import code, name_and_unit

READINGS = const(0)
SESSION = const(1)

_CHANNEL = const(255)  # in the place of a code: length and name of the channel of the values that follow
_MEAN = const(128)  # added to the decimals: n, min and max follow
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
    channel = ""
    for value in rec.values:
        of, _, name = value[0].rpartition("/")
        if of != channel:
            channel = of
            out += bytes((_CHANNEL, len(of.encode()))) + of.encode()
        out.append(code(name))
        out.append(value[2] + (_MEAN if len(value) > 3 else 0))
        _put_varint(out, value[1])
        for more in value[3:]:
            _put_varint(out, more)
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
    channel = ""
    while pos < len(buf):
        if buf[pos] == _CHANNEL:
            end = pos + 2 + buf[pos + 1]
            channel = bytes(buf[pos + 2 : end]).decode()
            channel, pos = channel and channel + "/", end
            continue
        name, decimals = channel + name_and_unit(buf[pos])[0], buf[pos + 1]
        value, pos = _get_varint(buf, pos + 2)
        value = [name, value, decimals & ~_MEAN]
        for _ in range(3 if decimals & _MEAN else 0):
            more, pos = _get_varint(buf, pos)
            value.append(more)
        values.append(tuple(value))
    return Record(kind, boot - resets, boot, seq, up, time * 10 + tenth, values, key, duration)
