"""A serial line with time limits, for drivers: `some` never waits longer than it was told."""

import asyncio


class Frames:
    """Cuts frames of one length out of a byte stream; a bad one costs one byte, not the frame behind it."""

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


class SerialPort:
    """Opened on first use and again after it was unplugged. `baud`, `port` come from the driver's options."""

    def __init__(self, board, options, baud):
        self.board = board
        self.options = options
        self.baud = options.get("baud", baud)
        self._stream = None

    def _open(self):
        if self._stream is None:
            uart = self.board.uart(self.options["port"], self.baud, self.options)
            self._stream = asyncio.StreamReader(uart)
        return self._stream

    def close(self):
        """Forget the line; the next use opens it again."""
        stream, self._stream = self._stream, None
        if stream:
            stream.s.close()  # pyright: ignore

    async def some(self, timeout_ms, count=64):
        """Return the bytes that come next; OSError when the line is gone, TimeoutError when it is silent."""
        stream = self._open()
        try:
            data = await self.board.within(stream.read(count), timeout_ms)
        except OSError:
            self.close()
            raise
        if not data:
            self.close()
            raise OSError(5)
        return data

    async def next_frame(self, frames, silence_ms):
        """Return the next whole frame of a sensor that sends them by itself; whoever asks limits the time."""
        await self.flush()
        while True:
            for frame in frames.feed(await self.some(silence_ms)):
                return frame

    async def send(self, data):
        """Write bytes."""
        stream = self._open()
        try:
            stream.write(data)  # pyright: ignore (every stream writes here)
            await stream.drain()  # pyright: ignore
        except OSError:
            self.close()
            raise

    async def flush(self):
        """Throw away what has been waiting in the receive buffer."""
        for _ in range(16):
            try:
                await asyncio.wait_for_ms(self._open().read(256), 10)
            except asyncio.TimeoutError:
                return
