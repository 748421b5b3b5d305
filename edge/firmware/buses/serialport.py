"""A serial line with time limits, for drivers: `some` never waits longer than its timeout."""

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
        uart = self.board.uart(self.options["port"], self.baud, self.options)
        if self._stream is None or self._stream.s is not uart:  # pyright: ignore
            self._stream = asyncio.StreamReader(uart)
        return self._stream

    def close(self):
        """Forget the line; the next use opens it again."""
        self._stream = None
        self.board.drop_uart(self.options["port"])

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
            raise OSError(5, "the line is gone")
        return data

    async def send(self, data):
        """Write bytes; a transceiver whose direction is a pin (`de`) sends only while that is high."""
        stream, de = self._open(), self.options.get("de")
        try:
            if de is None:
                stream.write(data)  # pyright: ignore (every stream writes here)
                await stream.drain()  # pyright: ignore
                return
            self.board.output(de, 1)
            stream.s.write(data)  # pyright: ignore
            await self.board.sleep_ms(11000 * len(data) // self.baud)
            while hasattr(stream.s, "txdone") and not stream.s.txdone():  # pyright: ignore
                await self.board.sleep_ms(1)
            self.board.output(de, 0)
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
