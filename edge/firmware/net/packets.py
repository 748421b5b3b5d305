"""MQTT 3.1.1 packets: built as one bytes object each, and cut out of a byte stream.

Those that are needed only now and then are in `greetings.py`.
"""

from micropython import const

READ = const(256)  # bytes read at once
_KEPT = const(300)  # of a packet that is too long, so much is kept: topic and packet id


def packet(first, *parts):
    """Join the parts behind the fixed header, in one allocation."""
    head = bytearray((first,))
    size = sum([len(part) for part in parts])
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return b"".join((head,) + parts)


def u16(n):
    """Two bytes, high one first."""
    return bytes((n >> 8, n & 255))


def text(value):
    """A string with its length in front."""
    data = value if isinstance(value, bytes) else value.encode()
    return u16(len(data)) + data


def publish(topic, payload, pid, retain=False, dup=False):
    """A QoS 1 publication."""
    first = 0x32 | (1 if retain else 0) | (8 if dup else 0)
    return packet(first, text(topic), u16(pid), payload)


def puback(pid):
    """Acknowledge a QoS 1 publication."""
    return b"\x40\x02" + u16(pid)


def parse_publish(first, body):
    """Return (topic, packet id or 0, payload, retained) of an incoming publication."""
    end = 2 + (body[0] << 8 | body[1])
    topic = body[2:end].decode()
    pid = 0
    if first & 6:
        pid = body[end] << 8 | body[end + 1]
        end += 2
    return topic, pid, body[end:], bool(first & 1)


class Splitter:
    """Cuts a byte stream into packets, in one buffer that is never given back.

    Growing and joining pieces would tear a small heap. A packet longer than `limit` is skipped without being held.
    """

    def __init__(self, limit):
        self.limit = limit
        self._buf = bytearray(limit + READ + 8)
        self.clear()

    def clear(self):
        """Forget what is left of the last connection."""
        self._pos = self._end = self._skip = self._size = 0
        self._head = None

    def feed(self, data):
        """Add received bytes, at most READ; `next` must have been asked until it had nothing more."""
        if self._pos:
            left = self._end - self._pos
            self._buf[:left] = self._buf[self._pos : self._end]
            self._pos, self._end = 0, left
        end = self._end + len(data)
        self._buf[self._end : end] = data
        self._end = end

    def next(self):
        """Return (first byte, body, whole) or None; `whole` is False for a packet that was cut short."""
        if self._skip:
            return self._skipped()
        start = self._length()
        if start is None:
            return None
        size = self._size
        if size > self.limit:
            return self._begin_skip(start, size)
        if start + size > self._end:
            return None
        first = self._buf[self._pos]
        self._pos = start + size
        return first, bytes(self._buf[start : start + size]), True

    def _length(self):
        """Find the length of the body; return where it begins, or None while the length is still arriving."""
        buf, pos, size, shift = self._buf, self._pos + 1, 0, 0
        while pos < self._end:
            byte = buf[pos]
            pos += 1
            size |= (byte & 127) << shift
            if byte < 128:
                self._size = size
                return pos
            shift += 7
            if shift > 21:
                raise ValueError("packet length has no end")
        return None

    def _begin_skip(self, start, size):
        if self._end - start < _KEPT:
            return None
        self._head = (self._buf[self._pos], bytes(self._buf[start : start + _KEPT]), False)
        self._pos = start
        self._skip = size
        return self._skipped()

    def _skipped(self):
        drop = min(self._skip, self._end - self._pos)
        self._pos += drop
        self._skip -= drop
        return None if self._skip else self._head
