"""The longest silence of the MQTT task, in seconds of virtual time. Runs on MicroPython.

beats.py away: no broker for ten days; beats.py mute: brokers that accept and never say a word again.
"""

import asyncio
import sys

from firmware.net.mqtt import Client

DAYS = 10


class Over(BaseException):
    """The time is up."""


class Pipe:
    """A connection on which only the CONNACK and a SUBACK come."""

    def __init__(self) -> None:
        self.answers = [b"\x20\x02\x01\x00"]
        self.ready = asyncio.Event()
        self.ready.set()

    async def read(self, _count: int) -> bytes:
        """Give the next answer when there is one."""
        await self.ready.wait()
        self.ready.clear()
        return self.answers.pop(0)

    def write(self, data: bytes) -> None:
        """Swallow it; a SUBSCRIBE is answered."""
        if data[0] == 0x82:
            self.answers.append(b"\x90\x03" + data[2:4] + b"\x01")
            self.ready.set()

    async def drain(self) -> None:
        """Gone."""

    async def wait_closed(self) -> None:
        """Closed."""

    def close(self) -> None:
        """Close."""


class Board:
    """Time passes only when somebody sleeps."""

    def __init__(self, away: bool) -> None:
        self.away = away
        self.now = 0

    def ticks_ms(self) -> int:
        """The virtual time."""
        return self.now

    async def sleep_ms(self, ms: int) -> None:
        """Jump ahead."""
        await asyncio.sleep(0)
        self.now += ms
        if self.now > DAYS * 86400000:
            raise Over

    async def within(self, job: object, _ms: int) -> object:
        """Nothing here takes time."""
        return await job  # type: ignore[misc]

    async def link(self, _beat: object) -> None:
        """The network is there."""

    async def connect(self, *_: object) -> object:
        """Refuse, or give a connection."""
        if self.away:
            raise OSError(111)
        return Pipe()


class Watch:
    """Notes the longest time between two beats."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.last = self.longest = 0

    def __call__(self) -> None:
        """The task shows that it is alive."""
        self.longest = max(self.longest, self.board.now - self.last)
        self.last = self.board.now


def main(how: str) -> None:
    """Run until the time is up."""
    board = Board(how == "away")
    options = {"host": "", "port": 0, "keepalive_s": 3600, "backoff_max_s": 3600}
    client = Client(board, "x", options, ("t", "off"), ("t", lambda: b"on"), [], print)
    client.beat = watch = Watch(board)
    try:
        asyncio.run(client.run())
    except Over:
        print(watch.longest // 1000)


main(sys.argv[1])
