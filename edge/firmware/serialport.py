"""A serial line with time limits, for drivers: `some` never waits longer than it was told."""

import asyncio


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

    async def flush(self):
        """Throw away what has been waiting in the receive buffer."""
        for _ in range(16):
            try:
                await asyncio.wait_for_ms(self._open().read(256), 10)
            except asyncio.TimeoutError:
                return
