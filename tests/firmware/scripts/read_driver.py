"""Reads one sensor on a strict board until it reports something; prints the values as JSON. Runs on MicroPython.

read_driver.py OPTIONS-AS-JSON [TRIES]
"""

import asyncio
import json
import sys

from firmware import lazy
from firmware.hal.esp32_board import Board


class QuickBoard(Board):
    """Waits are ten times shorter."""

    async def sleep_ms(self, ms: int) -> None:
        """Wait."""
        await asyncio.sleep_ms(max(1, ms // 10))


async def main() -> None:
    """Read."""
    options = json.loads(sys.argv[1])
    board = QuickBoard("")
    driver = lazy.load("sensors." + options["driver"]).Driver(board, options)
    error = ""
    for _ in range(int(sys.argv[2]) if len(sys.argv) > 2 else 5):
        try:
            values = await board.within(driver.read(), 3000)
        except (OSError, asyncio.TimeoutError) as err:  # noqa: UP041 - two kinds on MicroPython
            error = repr(err)
            continue
        if hasattr(driver, "interval"):
            values = driver.interval()
        if values:
            print(json.dumps([value[:3] for value in values]))
            return
    print(json.dumps(error))


asyncio.run(main())
