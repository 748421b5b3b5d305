"""A whole node on a strict board. Runs on MicroPython: board_node.py FOLDER [SPEED].

The folder holds node.json; with SPEED every wait of the firmware is that much shorter.
"""

import asyncio
import sys

from firmware.app import Node
from firmware.hal.esp32_board import Board

SPEED = int(sys.argv[2]) if len(sys.argv) > 2 else 1


class FastBoard(Board):
    """Time runs faster; what blocks, blocks as long as on a real board."""

    speed = SPEED

    def ticks_ms(self) -> int:
        """Milliseconds since the start."""
        return Board.ticks_ms(self) * SPEED

    async def sleep_ms(self, ms: int) -> None:
        """Wait."""
        await asyncio.sleep_ms(max(1, ms // SPEED))

    async def within(self, job: object, ms: int) -> object:
        """Await a job, at most so long."""
        return await asyncio.wait_for_ms(job, max(1000, ms // SPEED))  # type: ignore[attr-defined]


asyncio.run(Node(FastBoard(sys.argv[1])).run())
