"""Flushes a serial line on a node that is busy with other things; prints how many bytes of the past are left.

busy_flush.py PTY
"""

import asyncio
import sys
import time

from firmware.buses.serialport import SerialPort
from firmware.hal import virtual


class Board:
    """Only a serial line, and waits as they are."""

    def uart(self, port: str, *_: object) -> object:
        """The line."""
        return virtual.open_line(port)

    async def within(self, job: object, ms: int) -> object:
        """At most so long."""
        return await asyncio.wait_for_ms(job, ms)  # type: ignore[attr-defined]


async def busy() -> None:
    """Something that computes for longer than others care to wait."""
    while True:
        time.sleep_ms(30)  # type: ignore[attr-defined]
        await asyncio.sleep(0)


async def main() -> None:
    """Flush, then look."""
    port = SerialPort(Board(), {"port": sys.argv[1]}, 9600)
    asyncio.create_task(busy())  # noqa: RUF006
    await asyncio.sleep(0)
    port.flush()
    try:
        print(len(await port.some(300)))
    except asyncio.TimeoutError:  # noqa: UP041 (on MicroPython they are two)
        print(0)


asyncio.run(main())
