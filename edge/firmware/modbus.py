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
    """Append the check sum, low byte first."""
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
    """Finds the answer to one request in a byte stream; noise before it is passed over."""

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
                raise OSError(buf[at + 2])
        self._buf = buf[-(self.size + 5) :]
        return None

    def _whole(self, at, end):
        buf = self._buf
        return len(buf) >= end + 2 and buf[end : end + 2] == framed(buf[at:end])[-2:]


class Bus:
    """One serial line with its devices; a question waits at most `ANSWER_MS` and is asked three times."""

    ANSWER_MS = 1000

    def __init__(self, board, options, baud):
        self.board = board
        self.port = SerialPort(board, options, baud)

    async def read(self, unit, function, register, count):
        """Return the bytes of `count` registers."""
        for _ in range(2):
            try:
                return await self._ask(unit, function, register, count)
            except asyncio.TimeoutError:
                pass
        return await self._ask(unit, function, register, count)

    async def _ask(self, unit, function, register, count):
        self.port.flush()
        await self.port.send(request(unit, function, register, count))
        return await self.board.within(self._answer(Answer(unit, function, count)), self.ANSWER_MS)

    async def _answer(self, answer):
        while True:
            data = answer.feed(await self.port.some(self.ANSWER_MS))
            if data is not None:
                return data
