"""Modbus RTU as a master: requests, checked answers, and exact integers out of IEEE-754 registers."""

import asyncio

from .serialport import SerialPort

EXCEPTION = 0x80


def crc16(data):
    """CRC-16/MODBUS."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def framed(body):
    """Append the checksum, low byte first."""
    crc = crc16(body)
    return body + bytes((crc & 255, crc >> 8))


def request(unit, function, register, count):
    """A request to read `count` registers."""
    return framed(bytes((unit, function, register >> 8, register & 255, count >> 8, count & 255)))


def scaled(raw, decimals):
    """A big-endian float32 as an integer of `decimals` places, exact but for the last rounding; None for NaN."""
    bits = int.from_bytes(raw, "big")
    exponent = bits >> 23 & 255
    if exponent == 255:
        return None
    mantissa = (bits & 0x7FFFFF | (0x800000 if exponent else 0)) * 10**decimals
    shift = (exponent or 1) - 150
    value = mantissa << shift if shift >= 0 else mantissa + (1 << -shift - 1) >> -shift
    return -value if bits >> 31 else value


class Answer:
    """Finds the answer to one request in a byte stream; noise before it is skipped."""

    def __init__(self, unit, function, count):
        self.unit = unit
        self.function = function
        self.size = 2 * count
        self._buf = b""

    def feed(self, data):
        """Return the register bytes once the whole answer is there, else None; OSError for an exception answer."""
        self._buf += data
        buf = self._buf
        for at in range(len(buf) - 4):
            if buf[at] != self.unit:
                continue
            end = at + 3 + self.size
            if buf[at + 1 : at + 3] == bytes((self.function, self.size)) and self._whole(at, end):
                return buf[at + 3 : end]
            if buf[at + 1] == self.function | EXCEPTION and self._whole(at, at + 3):
                raise OSError(buf[at + 2], "unit %d answers with exception %d" % (self.unit, buf[at + 2]))
        self._buf = buf[-(self.size + 5) :]
        return None

    def heard(self):
        """The last bytes received without a valid answer, for the log."""
        return "; received " + " ".join(["%02x" % byte for byte in self._buf[-12:]]) if self._buf else ""

    def _whole(self, at, end):
        buf = self._buf
        return len(buf) >= end + 2 and buf[end : end + 2] == framed(buf[at:end])[-2:]


class Bus:
    """One RS-485 line with its meters: one request at a time, silence before each.

    A meter that did not answer gets one attempt instead of three.

    Options: `gap_ms` (silence before a request: 20; a few meters need 100 to 500), `timeout_ms` (600), `de` (pin that
    sets the direction of the transceiver). Several entries with one `port` share the bus.
    """

    def __init__(self, board, options, baud):
        self.board = board
        self.port = SerialPort(board, options, baud)
        self._lock = asyncio.Lock()
        self._free_ms = 0
        self._dead = set()

    async def read(self, unit, function, register, count, gap_ms=20, timeout_ms=600):
        """Return the bytes of `count` registers; OSError with what came instead."""
        async with self._lock:
            tries = 1 if unit in self._dead else 3
            while True:
                tries -= 1
                answer = Answer(unit, function, count)
                try:
                    data = await self._ask(answer, request(unit, function, register, count), gap_ms, timeout_ms)
                    self._dead.discard(unit)
                    return data
                except asyncio.TimeoutError:
                    if not tries:
                        self._dead.add(unit)
                        raise OSError(110, "no answer" + answer.heard())
                finally:
                    self._free_ms = self.board.ticks_ms()

    async def _ask(self, answer, data, gap_ms, timeout_ms):
        wait = self._free_ms + gap_ms - self.board.ticks_ms()
        if wait > 0:
            await self.board.sleep_ms(wait)
        self.port.flush()
        await self.port.send(data)
        return await self.board.within(self._answer(answer, timeout_ms), timeout_ms)

    async def _answer(self, answer, timeout_ms):
        while True:
            data = answer.feed(await self.port.some(timeout_ms))
            if data is not None:
                return data


class Meter:
    """One device on a bus, with its silence before a request and its time limit."""

    def __init__(self, board, options, baud=9600, gap_ms=20):
        key = "modbus%d" % options["port"]
        if key not in board.buses:
            board.buses[key] = Bus(board, options, baud)
        self._bus = board.buses[key]
        if self._bus.port.baud != options.get("baud", baud):
            raise ValueError("another meter on UART %d has %d baud" % (options["port"], self._bus.port.baud))
        self._unit = options.get("unit", 1)
        self._gap_ms = options.get("gap_ms", gap_ms)
        self._timeout_ms = options.get("timeout_ms", 600)

    async def read(self, function, register, count):
        """Return the bytes of `count` registers."""
        return await self._bus.read(self._unit, function, register, count, self._gap_ms, self._timeout_ms)
