"""A serial line with time limits, for drivers: `some` never waits longer than it was told."""

import asyncio
import select

from micropython import const

_FLUSH_MAX = const(64)  # reads: more than any buffer holds


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

    async def send(self, data):
        """Write bytes."""
        stream = self._open()
        try:
            stream.write(data)  # pyright: ignore (every stream writes here)
            await stream.drain()  # pyright: ignore
        except OSError:
            self.close()
            raise

    def flush(self):
        """Throw away what has been waiting, however busy the node is: what is read next is new."""
        line = self._open().s  # pyright: ignore (every stream has its line)
        poll = select.poll()
        poll.register(line, select.POLLIN)
        try:
            for _ in range(_FLUSH_MAX):
                if not poll.poll(0) or not line.read(256):
                    return
        except OSError:
            self.close()
            raise
