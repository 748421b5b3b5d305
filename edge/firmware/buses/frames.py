"""Sensors that send frames of one length by themselves, about one a second."""


class Frames:
    """Cuts frames of one length out of a byte stream; an invalid one costs one byte, not the frame after it."""

    def __init__(self, start, length, checked):
        """`start`: the bytes each begins with; `checked(frame)`: whether one is whole."""
        self._start = start
        self._length = length
        self._checked = checked
        self._buf = b""

    def feed(self, data):
        """Return the frames completed by `data`."""
        buf, out = self._buf + data, []
        while True:
            at = buf.find(self._start)
            if at < 0:
                at = max(0, len(buf) + 1 - len(self._start))  # the next frame may have begun
            buf = buf[at:]
            if len(buf) < self._length:
                break
            good = self._checked(buf[: self._length])
            if good:
                out.append(buf[: self._length])
            buf = buf[self._length if good else 1 :]
        self._buf = buf
        return out

    async def next(self, port, timeout_ms):
        """Return the next whole frame on a serial port; the caller limits the time."""
        port.flush()
        while True:
            for frame in self.feed(await port.some(timeout_ms)):
                return frame
